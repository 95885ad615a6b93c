import { word } from "./words";

/** The solid button says what it will do: the option chosen in the field it decides by, or who will be invited. */
function chosen(form: HTMLFormElement, name: string): string {
  const input = form.querySelector<HTMLInputElement>(`[name="${CSS.escape(name)}"]:checked`);
  return input?.closest("label")?.textContent?.trim() ?? "";
}

/** Who is invited, in the order in which he was ticked: the one ticked first is asked first. */
let ticked: HTMLInputElement[] = [];
function order(form: HTMLFormElement): HTMLInputElement[] {
  const all = [...form.querySelectorAll<HTMLInputElement>("input[name=experts]:checked")];
  const place = (box: HTMLInputElement) => (ticked.includes(box) ? ticked.indexOf(box) : 100 + Number(box.dataset.place ?? 100));
  ticked = all.sort((a, b) => place(a) - place(b));
  for (const box of form.querySelectorAll<HTMLInputElement>("input[name=experts]")) {
    const nth = box.parentElement?.querySelector<HTMLElement>("[data-nth]");
    if (!nth) continue;
    nth.hidden = !box.checked;
    nth.textContent = box.checked ? String(ticked.indexOf(box) + 1) : "";
  }
  return ticked;
}

export function start(): void {
  const form = document.querySelector<HTMLFormElement>("form#task");
  const solid = form?.querySelector<HTMLElement>(".action-bar .btn.solid");
  const label = solid?.querySelector("span");
  if (!form) return;
  grow(form);
  if (!solid || !label) return;
  const plain = label.textContent ?? "";
  const decides = solid.dataset.verb;
  const tell = () => {
    const invited = order(form);
    if (decides) label.textContent = chosen(form, decides) || plain;
    else if (invited.length === 1) label.textContent = word("invite", { name: invited[0]!.dataset.name ?? "" });
    else if (invited.length > 1) label.textContent = word("invite_many", { n: invited.length });
    else label.textContent = plain;
    for (const row of form.querySelectorAll<HTMLElement>(".candidate")) row.classList.toggle("picked", row.querySelector<HTMLInputElement>("input")?.checked ?? false);
  };
  // A link to a part that is folded away opens it.
  for (const link of document.querySelectorAll<HTMLAnchorElement>("a[href='#back']")) link.addEventListener("click", () => { const part = document.querySelector<HTMLDetailsElement>("details#back"); if (part) { part.open = true; part.querySelector("textarea")?.focus(); } });
  form.addEventListener("change", tell);
  form.addEventListener("formdata", ({ formData }) => {
    if (!formData.has("experts")) return;
    formData.delete("experts");
    for (const box of order(form)) formData.append("experts", box.value);
  });
  tell();
}

/** Texts of a report are as tall as what is written in them. */
function grow(form: HTMLFormElement): void {
  for (const box of form.querySelectorAll<HTMLTextAreaElement>(".report-form textarea")) {
    const fit = () => { box.rows = Math.max(1, box.value.split("\n").length); while (box.scrollHeight > box.clientHeight + 2 && box.rows < 24) box.rows += 1; };
    box.addEventListener("input", fit);
    fit();
  }
}
