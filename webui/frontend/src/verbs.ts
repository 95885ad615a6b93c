import { word } from "./words";

/** The solid button says what it will do: the option chosen in the field it decides by, or who will be invited. */
function chosen(form: HTMLFormElement, name: string): string {
  const input = form.querySelector<HTMLInputElement>(`[name="${CSS.escape(name)}"]:checked`);
  return input?.closest("label")?.textContent?.trim() ?? "";
}

export function start(): void {
  const form = document.querySelector<HTMLFormElement>("form#task");
  const solid = form?.querySelector<HTMLElement>(".action-bar .btn.solid");
  const label = solid?.querySelector("span");
  if (!form) return;
  scores(form);
  cite(form);
  grow(form);
  if (!solid || !label) return;
  const plain = label.textContent ?? "";
  const decides = solid.dataset.verb;
  const tell = () => {
    const invited = [...form.querySelectorAll<HTMLInputElement>("input[name=experts]:checked")];
    if (decides) label.textContent = chosen(form, decides) || plain;
    else if (invited.length === 1) label.textContent = word("invite", { name: invited[0]!.dataset.name ?? "" });
    else if (invited.length > 1) label.textContent = word("invite_many", { n: invited.length });
    else label.textContent = plain;
    for (const row of form.querySelectorAll<HTMLElement>(".candidate")) row.classList.toggle("picked", row.querySelector<HTMLInputElement>("input")?.checked ?? false);
  };
  form.addEventListener("change", tell);
  tell();
}

const GRADES: [number, string][] = [[90, "甲"], [75, "乙"], [60, "丙"], [0, "不合格"]];

/** The total of the five sliders with its grade, the sentence of each score, and what follows from them. */
function scores(form: HTMLFormElement): void {
  const sliders = [...form.querySelectorAll<HTMLInputElement>("input[type=range][data-anchors]")];
  const total = form.querySelector<HTMLElement>("[data-total]");
  if (!sliders.length || !total) return;
  const words = [...total.querySelectorAll(".grade-scale p span")].map((span) => span.textContent ?? "");
  const draw = () => {
    let sum = 0;
    for (const slider of sliders) {
      const points = Number(slider.value);
      sum += points;
      const row = slider.closest<HTMLElement>(".score-row")!;
      row.querySelector("[data-anchor]")!.textContent = JSON.parse(slider.dataset.anchors!)[points] ?? "";
      row.querySelector("output b")!.textContent = slider.value;
      row.classList.toggle("low", points <= 12);
      row.querySelector<HTMLElement>("[data-cite]")!.hidden = points > 12;
    }
    const place = GRADES.findIndex(([least]) => sum >= least);
    const veto = form.querySelector<HTMLInputElement>("[name=veto]")?.checked ?? false;
    total.querySelector("[data-sum]")!.textContent = String(sum);
    const grade = total.querySelector<HTMLElement>("[data-grade]")!;
    grade.textContent = words[3 - place] ?? "";
    grade.className = `state ${sum < 60 || veto ? "bad" : place === 0 ? "ok" : "info"}`;
    total.querySelector("[data-pentagon]")!.setAttribute("points", sliders.map((slider, i) => {
      const [angle, far] = [((i * 72 - 90) * Math.PI) / 180, (50 * Number(slider.value)) / 20];
      return `${(far * Math.cos(angle)).toFixed(1)},${(far * Math.sin(angle)).toFixed(1)}`;
    }).join(" "));
    total.querySelector("[data-mark]")!.setAttribute("x", String(Math.min(99.2, sum)));
    const pass = form.querySelector<HTMLInputElement>("input[name=decision][value=pass]");
    const back = form.querySelector<HTMLInputElement>("input[name=decision][value=return]");
    if (pass && back) {
      pass.disabled = sum < 60 || veto;
      if (pass.disabled && pass.checked) { back.checked = true; back.dispatchEvent(new Event("change", { bubbles: true })); }
    }
  };
  form.addEventListener("input", draw);
  form.addEventListener("change", draw);
  for (const slider of sliders) {
    slider.addEventListener("focus", () => slider.closest(".score-row")?.classList.add("here"));
    slider.addEventListener("blur", () => slider.closest(".score-row")?.classList.remove("here"));
  }
  document.addEventListener("keydown", (event) => {
    const at = event.target as HTMLElement;
    if (event.ctrlKey || event.altKey || event.metaKey || at.matches("textarea, input:not([type=range]):not([type=radio]):not([type=checkbox])")) return;
    const slider = sliders[Number(event.key) - 1];
    if (slider && document.body.dataset.keys !== "off") { slider.focus(); event.preventDefault(); }
  });
  draw();
}

/** A click on a sentence of the report cites it, for the dimension one is at; a second click takes it back. */
function cite(form: HTMLFormElement): void {
  const hint = document.querySelector<HTMLElement>("[data-cites]");
  const box = form.querySelector<HTMLTextAreaElement>("[name=citation]");
  if (!hint || !box) return;
  hint.hidden = false;
  let at = "";
  const colon = document.documentElement.lang.startsWith("zh") ? "：" : ": ";
  const name = (row: Element) => row.querySelector("label b")?.textContent ?? "";
  for (const row of form.querySelectorAll(".score-row")) row.addEventListener("focusin", () => { at = name(row); });
  const low = () => form.querySelector(".score-row.low");
  const marks: HTMLElement[] = [];
  for (const text of document.querySelectorAll<HTMLElement>(".report-paper .report-text")) {
    const parts = (text.textContent ?? "").match(/[^。！？；\n.!?]+(?:[.!?](?!\s|$)[^。！？；\n.!?]*)*[。！？；.!?]?|\n/g) ?? [];
    text.replaceChildren(...parts.map((part) => {
      if (part.trim().length < 2) return document.createTextNode(part);
      const mark = document.createElement("mark");
      mark.className = "sentence";
      mark.tabIndex = 0;
      mark.setAttribute("role", "button");
      mark.textContent = part;
      marks.push(mark);
      return mark;
    }));
  }
  const lines = () => box.value.split("\n").filter((line) => line.trim());
  const draw = () => {
    for (const mark of marks) {
      const line = lines().find((one) => one.endsWith(mark.textContent!.trim()));
      mark.setAttribute("aria-pressed", String(line !== undefined));
      const head = line?.slice(0, line.length - mark.textContent!.trim().length).replace(/[:：]\s*$/, "");
      if (head) mark.dataset.by = head;
      else mark.removeAttribute("data-by");
    }
  };
  const toggle = (mark: HTMLElement) => {
    const words = mark.textContent!.trim();
    const kept = lines().filter((line) => !line.endsWith(words));
    const dimension = at || (low() ? name(low()!) : "");
    if (kept.length === lines().length) kept.push(dimension ? `${dimension}${colon}${words}` : words);
    box.value = kept.join("\n");
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  for (const mark of marks) {
    mark.addEventListener("click", () => toggle(mark));
    mark.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); toggle(mark); } });
  }
  box.addEventListener("input", draw);
  draw();
}

/** Texts of a report are as tall as what is written in them. */
function grow(form: HTMLFormElement): void {
  for (const box of form.querySelectorAll<HTMLTextAreaElement>(".report-form textarea")) {
    const fit = () => { box.rows = Math.max(1, box.value.split("\n").length); while (box.scrollHeight > box.clientHeight + 2 && box.rows < 24) box.rows += 1; };
    box.addEventListener("input", fit);
    fit();
  }
}
