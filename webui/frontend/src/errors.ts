import { word } from "./words";

/** `#errors` names what stands in the way of a form: read first, and each point leaves as soon as its field is filled. */
export function start(): void {
  const summary = document.querySelector<HTMLElement>("#errors");
  if (!summary) return;
  // Where the page opens is where the list is, below whatever sticks to the top.
  requestAnimationFrame(() => { summary.focus({ preventScroll: true }); summary.scrollIntoView({ block: "center" }); });
  const form = summary.closest("form") ?? document;
  const filled = (event: Event) => {
    const field = (event.target as HTMLElement).closest<HTMLElement>("[data-field]");
    if (field && has(field)) clear(field, summary);
  };
  form.addEventListener("input", filled);
  form.addEventListener("change", filled);
}

/** A file that would be refused for its size is told when it is chosen, and is not sent with everything else. */
export function sizes(): void {
  document.addEventListener("change", (event) => {
    const input = event.target as HTMLInputElement;
    if (input.type !== "file" || !input.dataset.largest) return;
    const most = Number(input.dataset.largest);
    input.parentElement!.querySelector("[data-size]")?.remove();
    const bad = [...(input.files ?? [])].filter((file) => !file.size || file.size > most);
    if (!bad.length) return;
    const told = Object.assign(document.createElement("span"), { className: "wrong", role: "alert" });
    told.dataset.size = "";
    told.textContent = bad.map((file) => word(file.size ? "file_large" : "file_empty", { name: file.name, mb: most >> 20 })).join(" ");
    const good = new DataTransfer();
    for (const file of input.files ?? []) if (!bad.includes(file)) good.items.add(file);
    input.files = good.files;
    input.after(told);
  });
}

function has(field: HTMLElement): boolean {
  return [...field.querySelectorAll<HTMLInputElement>("input, select, textarea")].some((input) =>
    input.type === "hidden" ? false : input.type === "checkbox" || input.type === "radio" ? input.checked : input.value.trim() !== "");
}

function clear(field: HTMLElement, summary: HTMLElement): void {
  const named = [field, ...field.querySelectorAll<HTMLElement>("[id]")].map((node) => node.id).filter(Boolean);
  const lines = [...summary.querySelectorAll<HTMLElement>("[data-wrong]")].filter((line) => named.includes(line.dataset.wrong!));
  if (!lines.length) return;
  for (const node of [field, ...field.querySelectorAll("[aria-invalid]")]) node.removeAttribute("aria-invalid");
  for (const told of field.querySelectorAll<HTMLElement>(".wrong")) {
    for (const node of [field, ...field.querySelectorAll("[aria-describedby]")]) undescribe(node, told.id);
    told.remove();
  }
  lines.forEach((line) => line.remove());
  count(summary);
}

function undescribe(node: Element, id: string): void {
  const rest = (node.getAttribute("aria-describedby") ?? "").split(" ").filter((one) => one && one !== id);
  if (rest.length) node.setAttribute("aria-describedby", rest.join(" "));
  else node.removeAttribute("aria-describedby");
}

/** What is left, beside the button too; nothing left leaves nothing to be told. */
function count(summary: HTMLElement): void {
  const left = summary.querySelectorAll("li").length;
  const beside = document.querySelector<HTMLElement>("[data-still-wrong]");
  if (beside) beside.querySelector("span")!.textContent = word("still_wrong", { n: left });
  if (left) return;
  beside?.remove();
  summary.remove();
}
