import "./css/index.css";
import "htmx.org";
import * as autosave from "./autosave";
import * as checks from "./checks";
import * as cite from "./cite";
import * as conditions from "./conditions";
import * as errors from "./errors";
import * as inbox from "./inbox";
import * as keyboard from "./keyboard";
import * as lock from "./lock";
import * as pulse from "./pulse";
import * as report from "./report";
import * as room from "./room";
import * as scores from "./scores";
import * as toast from "./toast";
import * as upload from "./upload";
import * as verbs from "./verbs";

keyboard.start();
conditions.start();
conditions.outputs();
errors.start();
errors.sizes();
autosave.start();
checks.start();
verbs.start();
scores.start();
cite.start();
report.start();
inbox.start();
upload.start();
lock.start();
pulse.start();
room.start();
toast.start();
if (document.querySelector("bpmn-view")) void import("./bpmn-view");

// What htmx put in wants the same as what was there at first.
document.addEventListener("htmx:after:swap", (event) => {
  const root = event.target as ParentNode;
  if (!(root instanceof Element)) return;
  conditions.start(root);
  upload.start(root);
  if (root.querySelector("bpmn-view")) void import("./bpmn-view");
});

// A form goes once: the second click of a double click finds the button busy.
document.addEventListener("submit", (event) => {
  const button = (event as SubmitEvent).submitter;
  const form = event.target as HTMLFormElement;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.going) return event.preventDefault();
  form.dataset.going = "1";
  if (button instanceof HTMLButtonElement) button.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("[aria-busy=true]").forEach((b) => b.removeAttribute("aria-busy"));
  document.querySelectorAll<HTMLFormElement>("form[data-going]").forEach((form) => delete form.dataset.going);
});
