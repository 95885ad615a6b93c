import { word } from "./words";

/** A click on a sentence of the report cites it for the dimension one is at; a card in the margin takes a remark. Each citation is
 *  a line of the form's field: `dimension：sentence｜remark`. */
interface Line { by: string; words: string; remark: string }

const PARTS = /[^。！？；\n.!?]+(?:[.!?](?!\s|$)[^。！？；\n.!?]*)*[。！？；.!?]?|\n/g;

export function start(): void {
  const form = document.querySelector<HTMLFormElement>("form#task");
  const hint = document.querySelector<HTMLElement>("[data-cites]");
  const box = form?.querySelector<HTMLTextAreaElement>("[name=citation]");
  if (!form || !hint || !box) return;
  hint.hidden = false;
  const zh = document.documentElement.lang.startsWith("zh");
  const name = (row: Element) => row.querySelector("label b")?.textContent ?? "";
  let at = "";
  for (const row of form.querySelectorAll(".score-row")) row.addEventListener("focusin", () => { at = name(row); });
  const marks = [...document.querySelectorAll<HTMLElement>(".report-paper .report-text.clean")].flatMap(cut);

  const read = (): Line[] => box.value.split("\n").filter((line) => line.trim()).map((line) => {
    const [said = "", ...rest] = line.split(/\s*[｜|]\s*/);
    const mark = marks.find((one) => said.endsWith(one.textContent!.trim()));
    const words = mark?.textContent!.trim() ?? said;
    return { by: said.slice(0, said.length - words.length).replace(/[:：]\s*$/, ""), words, remark: rest.join(" ") };
  });
  const write = (lines: Line[]) => {
    box.value = lines.map(({ by, words, remark }) => `${by ? by + (zh ? "：" : ": ") : ""}${words}${remark ? `｜${remark}` : ""}`).join("\n");
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const toggle = (mark: HTMLElement) => {
    const words = mark.textContent!.trim();
    const lines = read();
    const kept = lines.filter((line) => line.words !== words);
    const low = form.querySelector(".score-row.low");
    if (kept.length === lines.length) kept.push({ by: at || (low ? name(low) : ""), words, remark: "" });
    write(kept);
  };
  const change = (words: string, made: Partial<Line>) => write(read().map((line) => (line.words === words ? { ...line, ...made } : line)));
  const names = [...form.querySelectorAll(".score-row")].map(name);
  const draw = () => {
    const lines = read();
    for (const mark of marks) {
      const line = lines.find((one) => one.words === mark.textContent!.trim());
      mark.setAttribute("aria-pressed", String(line !== undefined));
      note(mark, line, names, change);
    }
  };
  for (const mark of marks) {
    mark.addEventListener("click", () => toggle(mark));
    mark.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); toggle(mark); } });
  }
  // Where changes are marked a click asks for the new text alone, whose sentences can be cited.
  const clean = document.querySelector<HTMLInputElement>("[name=paper][value=clean]");
  for (const text of document.querySelectorAll(".report-paper .report-text.marked")) text.addEventListener("click", () => { if (clean && !getSelection()?.toString()) clean.checked = true; });
  box.addEventListener("input", draw);
  draw();
}

/** The sentences of a text as things to press. */
function cut(text: HTMLElement): HTMLElement[] {
  const made: HTMLElement[] = [];
  text.replaceChildren(...((text.textContent ?? "").match(PARTS) ?? []).map((part) => {
    if (part.trim().length < 2) return document.createTextNode(part);
    const mark = Object.assign(document.createElement("mark"), { className: "sentence", tabIndex: 0, textContent: part });
    mark.setAttribute("role", "button");
    made.push(mark);
    return mark;
  }));
  return made;
}

const notes = new WeakMap<HTMLElement, HTMLElement>();

/** The card of a cited sentence in the margin beside it; it goes when the sentence is cited no more. */
function note(mark: HTMLElement, line: Line | undefined, names: string[], change: (words: string, made: Partial<Line>) => void): void {
  const margin = mark.closest(".paper-row")?.querySelector<HTMLElement>("[data-margin]");
  const old = notes.get(mark);
  if (!line || !margin) { old?.remove(); notes.delete(mark); return; }
  if (old) {
    old.querySelector("select")!.value = line.by;
    const field = old.querySelector("textarea")!;
    if (field !== document.activeElement) field.value = line.remark;
    return;
  }
  const card = Object.assign(document.createElement("div"), { className: "note" });
  const field = Object.assign(document.createElement("textarea"), { rows: 2, maxLength: 200, value: line.remark, placeholder: word("remark") });
  field.setAttribute("aria-label", word("remark"));
  field.addEventListener("input", () => change(line.words, { remark: field.value.replace(/[\n｜|]+/g, " ") }));
  const about = document.createElement("select");
  about.setAttribute("aria-label", word("about"));
  about.append(...["", ...names].map((one) => new Option(one || word("about"), one)));
  about.value = line.by;
  about.addEventListener("change", () => change(line.words, { by: about.value }));
  card.append(about, field);
  margin.append(card);
  notes.set(mark, card);
}
