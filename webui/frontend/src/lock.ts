import { csrf, word } from "./words";

/** `dialog#lock` covers the page when the screen is locked; the password takes it away and everything typed is still there. */
const dialog = () => document.querySelector<HTMLDialogElement>("dialog#lock");

/** Cover the page. `ended`: the login is over, so the name is asked as well. */
export function locked(ended = false): void {
  const box = dialog();
  if (!box) return;
  const name = box.querySelector<HTMLElement>("[data-name]")!;
  name.hidden = !ended;
  name.querySelector("input")!.disabled = !ended;
  if (box.open) return;
  box.querySelector<HTMLElement>("[data-wrong]")!.hidden = true;
  box.showModal();
  box.querySelector<HTMLInputElement>(ended ? "[name=login_name]" : "[name=password]")?.focus();
}

async function open(box: HTMLDialogElement, form: HTMLFormElement): Promise<void> {
  const wrong = box.querySelector<HTMLElement>("[data-wrong]")!;
  const password = form.querySelector<HTMLInputElement>("[name=password]")!;
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") fields.append(name, value);
  const answer = await fetch(form.action, { method: "POST", body: fields, headers: { "X-CSRFToken": csrf(), Accept: "text/html" }, redirect: "manual" }).catch(() => null);
  password.value = "";
  form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  if (answer?.type === "opaqueredirect") { box.close(); document.dispatchEvent(new CustomEvent("lianyi:unlocked")); return; }
  const told = answer && new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".banner.bad p")?.textContent;
  wrong.hidden = false;
  wrong.textContent = told || word(answer === null ? "upload_broken" : "wrong_password");
  password.focus();
}

export function start(): void {
  const box = dialog();
  if (!box) return;
  box.addEventListener("cancel", (event) => event.preventDefault());
  const form = box.querySelector<HTMLFormElement>("form[data-unlock]")!;
  form.addEventListener("submit", (event) => { event.preventDefault(); void open(box, form); });
  // Locking by hand keeps the page as it is; without scripts the server leads to the login page.
  for (const hand of document.querySelectorAll<HTMLFormElement>("form[action='/lock']")) hand.addEventListener("submit", (event) => {
    event.preventDefault();
    void fetch(hand.action, { method: "POST", headers: { "X-CSRFToken": csrf() }, redirect: "manual" }).then(() => {
      document.querySelectorAll("details.person[open]").forEach((menu) => menu.removeAttribute("open"));
      hand.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
      locked();
    });
  });
}
