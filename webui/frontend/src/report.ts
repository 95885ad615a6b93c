import { word } from "./words";

/** Writing a report: sentences offered after a `/` and below the section one is in, key images in the large place, changes by F8. */
export function start(): void {
  const form = document.querySelector<HTMLFormElement>("form#task");
  const texts = form ? [...form.querySelectorAll<HTMLTextAreaElement>(".report-form textarea")] : [];
  const all: Record<string, string[]> = JSON.parse(document.querySelector<HTMLElement>("[data-phrases]")?.dataset.phrases ?? "{}");
  for (const text of texts) if (all[text.name]?.length) offer(text, all[text.name]!);
  if (form) follow(form);
  preview(form);
  films();
  document.addEventListener("keydown", (event) => { if (event.key === "F8" && next()) event.preventDefault(); });
}

function put(text: HTMLTextAreaElement, from: number, to: number, words: string): void {
  text.setRangeText(words, from, to, "end");
  text.dispatchEvent(new Event("input", { bubbles: true }));
  text.focus();
}

/** The sentences of one section: the first three as buttons below it, all of them in a list after a slash. */
function offer(text: HTMLTextAreaElement, phrases: string[]): void {
  const chips = Object.assign(document.createElement("div"), { className: "phrases" });
  const list = Object.assign(document.createElement("ul"), { className: "phrase-list", hidden: true, id: `${text.id}-phrases` });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", word("phrases"));
  text.setAttribute("aria-controls", list.id);
  const button = (label: string, act: () => void, key = "") => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "btn sm", textContent: label });
    if (key) made.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    made.addEventListener("mousedown", (event) => event.preventDefault()); // the text keeps the caret
    made.addEventListener("click", act);
    return made;
  };
  let from = -1;
  let at = 0;
  let shown: string[] = [];
  const close = () => { list.hidden = true; from = -1; text.removeAttribute("aria-activedescendant"); };
  const take = (words: string) => { const start = from < 0 ? text.selectionStart : from; const end = text.selectionStart; close(); put(text, start, end, words); };
  const draw = (typed: string) => {
    shown = phrases.filter((one) => one.toLowerCase().includes(typed.toLowerCase()));
    if (!shown.length) return close();
    at = Math.min(at, shown.length - 1);
    list.hidden = false;
    list.replaceChildren(...shown.map((one, place) => {
      const row = Object.assign(document.createElement("li"), { textContent: one, id: `${list.id}-${place}` });
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", String(place === at));
      row.addEventListener("mousedown", (event) => { event.preventDefault(); take(one); });
      return row;
    }));
    text.setAttribute("aria-activedescendant", `${list.id}-${at}`);
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const open = () => { from = text.selectionStart; at = 0; draw(""); };
  text.addEventListener("input", (event) => {
    const caret = text.selectionStart;
    const slash = (event as InputEvent).data === "/" && !/[A-Za-z0-9]/.test(text.value[caret - 2] ?? "");
    if (slash) { from = caret - 1; at = 0; draw(""); }
    else if (from >= 0 && caret > from && text.value[from] === "/") draw(text.value.slice(from + 1, caret));
    else if (from >= 0) close();
  });
  text.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { at = (at + (event.key === "ArrowDown" ? 1 : shown.length - 1)) % shown.length; draw(from >= 0 && text.value[from] === "/" ? text.value.slice(from + 1, text.selectionStart) : ""); }
    else if (event.key === "Enter" && !event.ctrlKey) take(shown[at]!);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  text.addEventListener("blur", close);
  chips.append(...phrases.slice(0, 3).map((one) => button(one.replace(/。$/, ""), () => take(one))));
  if (phrases.length > 3) chips.append(button(word("more_phrases"), () => { text.focus(); open(); }, "/"));
  text.after(list, chips);
}

/** Phrases stand under the field one is in. They come and go when the pointer is up again, for what moves under a pressed pointer loses its click. */
function follow(form: HTMLFormElement): void {
  let down = false;
  const settle = () => {
    for (const chips of form.querySelectorAll<HTMLElement>(".phrases")) chips.hidden = !chips.closest(".field")?.contains(document.activeElement);
  };
  const soon = () => { if (!down) setTimeout(settle); };
  document.addEventListener("pointerdown", () => { down = true; }, { capture: true });
  for (const up of ["pointerup", "pointercancel"]) document.addEventListener(up, () => setTimeout(() => { down = false; settle(); }), { capture: true });
  form.addEventListener("focusin", soon);
  form.addEventListener("focusout", soon);
  settle();
}

/** The preview opens beside the form, which goes on being written in. */
function preview(form: HTMLFormElement | null): void {
  const button = form?.querySelector<HTMLButtonElement>("[data-preview]");
  if (!form || !button) return;
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const sent = Object.assign(document.createElement("form"), { method: "post", action: button.formAction, target: "_blank", hidden: true });
    for (const [name, value] of new FormData(form)) if (typeof value === "string") sent.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    document.body.append(sent);
    sent.submit();
    sent.remove();
  });
}

/** A key image that is chosen in the rail stands in the large place. */
function films(): void {
  const large = document.querySelector<HTMLElement>(".film");
  const links = [...document.querySelectorAll<HTMLAnchorElement>(".films .thumbs a")];
  const picture = large?.querySelector("img");
  if (!large || !picture) return;
  const show = (link: HTMLAnchorElement) => {
    picture.src = link.href;
    if (large instanceof HTMLAnchorElement) large.href = link.href;
    for (const one of links) one.toggleAttribute("aria-current", one === link);
    const place = large.querySelector("[data-place]");
    if (place) place.textContent = String(links.indexOf(link) + 1);
  };
  for (const link of links) link.addEventListener("click", (event) => { if (!event.ctrlKey && !event.metaKey) { event.preventDefault(); show(link); } });
  links[0]?.setAttribute("aria-current", "true");
}

/** The next place that changed comes into view; from the last one to the first. */
let place = -1;
function next(): boolean {
  const places = [...document.querySelectorAll<HTMLElement>("[data-paper] :is(ins, del), [data-changing] :is(ins, del)")].filter((one) => one.offsetParent !== null);
  if (!places.length) return false;
  place = (place + 1) % places.length;
  for (const one of places) one.classList.toggle("at", one === places[place]);
  places[place]!.scrollIntoView({ block: "center" });
  return true;
}
