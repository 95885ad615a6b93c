import { word } from "./words";
import { toast } from "./toast";

/** Single-letter keys on the rows `[data-task]` and on anything marked `data-key`; silent while somebody types. */
const PAUSE = 800;
let chord = 0;

function typing(event: KeyboardEvent): boolean {
  const at = event.target as HTMLElement | null;
  if (event.isComposing || event.keyCode === 229 || !at) return true;
  if (at.isContentEditable || at.closest("dialog[open], bpmn-view")) return true;
  return at.matches("textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=button]):not([type=submit])");
}

function rows(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>("[data-task]")].filter((row) => row.offsetParent !== null && !row.closest("form#task"));
}

function selected(): HTMLElement | null {
  return document.querySelector<HTMLElement>("[data-task].selected");
}

export function select(row: HTMLElement): void {
  for (const other of document.querySelectorAll("[data-task].selected")) {
    if (other === row) continue;
    other.classList.remove("selected");
    if (other.hasAttribute("aria-selected")) other.setAttribute("aria-selected", "false");
  }
  row.classList.add("selected");
  if (row.hasAttribute("aria-selected")) row.setAttribute("aria-selected", "true");
  row.querySelector<HTMLElement>("a[href]")?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  row.dispatchEvent(new CustomEvent("lianyi:select", { bubbles: true }));
}

function step(by: number): void {
  const list = rows();
  if (!list.length) return;
  const now = selected();
  const at = now ? list.indexOf(now) + by : by > 0 ? 0 : list.length - 1;
  const row = list[Math.max(0, Math.min(list.length - 1, at))];
  if (row) select(row);
}

function press(key: string): boolean {
  const find = (root: ParentNode) =>
    [...root.querySelectorAll<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)].find((e) => root !== document || !e.closest("[data-task]"));
  const row = selected();
  const target = (row && find(row)) ?? find(document);
  if (!target) return false;
  if (target.matches("input, textarea, select")) target.focus();
  else target.click();
  return true;
}

function help(): void {
  const sheet = document.querySelector<HTMLDialogElement>("dialog#keys");
  sheet?.showModal();
}

function letter(key: string): boolean {
  if (chord && performance.now() - chord < PAUSE) {
    chord = 0;
    const link = document.querySelector<HTMLAnchorElement>(`.nav a[data-go="${CSS.escape(key)}"]`);
    link?.click();
    return link !== null;
  }
  if (key === "g" && document.querySelector(".nav a[data-go]")) {
    chord = performance.now();
    return true;
  }
  if (key === "j" || key === "k") step(key === "j" ? 1 : -1);
  else if (key === "?") help();
  else if (key === "/") return press("/");
  else return press(key);
  return true;
}

export function start(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key === "Enter") {
      const form = (event.target as HTMLElement).closest("form") ?? document.querySelector<HTMLFormElement>("form#task");
      if (form) { event.preventDefault(); form.requestSubmit(form.querySelector<HTMLButtonElement>("button.solid") ?? undefined); }
      return;
    }
    if (event.ctrlKey && event.key.toLowerCase() === "k") {
      if (press("/")) event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || document.body.dataset.keys === "off" || typing(event)) return;
    if (event.key === "Enter") {
      const row = selected();
      if (!row || (event.target as HTMLElement).closest("a, button, summary, input")) return;
      row.querySelector<HTMLElement>("a[href]")?.click();
      event.preventDefault();
    } else if (event.key === "Escape") document.querySelector<HTMLElement>("[data-close-drawer]")?.click();
    else if (event.key.length === 1 && letter(event.key.toLowerCase())) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const at = event.target as HTMLElement;
    const row = at.closest<HTMLElement>("[data-task]");
    if (row && !at.closest("a, button, input, form#task") && rows().includes(row)) select(row);
    if (!at.closest("a, button, input")) at.closest("tr[data-message]")?.querySelector<HTMLElement>("a.what")?.click();
    if (at.closest("[data-open]")) document.querySelector<HTMLDialogElement>(`dialog#${at.closest<HTMLElement>("[data-open]")!.dataset.open}`)?.showModal();
    if (at.closest("[data-close]")) at.closest("dialog")?.close();
    const copy = at.closest<HTMLElement>("[data-copy]");
    if (copy) void navigator.clipboard?.writeText(copy.dataset.copy ?? "").then(() => toast(word("copied")));
  });
}
