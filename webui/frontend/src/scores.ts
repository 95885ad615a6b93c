/** The five scores: a slider sets the number beside it, and nothing is given until somebody gives it. */
const GRADES: [number, string][] = [[90, "甲"], [75, "乙"], [60, "丙"], [0, "不合格"]];

interface Row { row: HTMLElement; box: HTMLInputElement; slider: HTMLInputElement; anchors: string[] }

export function start(): void {
  const form = document.querySelector<HTMLFormElement>("form#task");
  const total = form?.querySelector<HTMLElement>("[data-total]");
  if (!form || !total) return;
  const rows: Row[] = [...form.querySelectorAll<HTMLElement>(".score-row")].map((row) => {
    const slider = row.querySelector<HTMLInputElement>("[data-slider]")!;
    slider.hidden = false;
    return { row, box: row.querySelector<HTMLInputElement>("input[type=number]")!, slider, anchors: JSON.parse(slider.dataset.anchors!) as string[] };
  });
  const draw = () => sum(form, total, rows.map(point));
  for (const { row, box, slider } of rows) {
    slider.addEventListener("input", () => { box.value = slider.value; box.dispatchEvent(new Event("input", { bubbles: true })); });
    // A click or a key on a slider that stands where it should be left is a choice too.
    for (const kind of ["click", "keydown"]) slider.addEventListener(kind, (event) => {
      if (box.value === "" && (kind === "click" || (event as KeyboardEvent).key.startsWith("Arrow"))) { box.value = slider.value; box.dispatchEvent(new Event("input", { bubbles: true })); }
    });
    box.addEventListener("input", () => { if (box.value !== "") slider.value = box.value; });
    row.addEventListener("focusin", () => row.classList.add("here"));
    row.addEventListener("focusout", () => row.classList.remove("here"));
  }
  form.addEventListener("input", draw);
  form.addEventListener("change", draw);
  document.addEventListener("keydown", (event) => {
    const at = event.target as HTMLElement;
    if (event.ctrlKey || event.altKey || event.metaKey || at.matches("textarea, input:not([type=range]):not([type=radio]):not([type=checkbox])")) return;
    const one = rows[Number(event.key) - 1];
    if (one && document.body.dataset.keys !== "off") { one.slider.focus(); event.preventDefault(); }
  });
  draw();
}

/** One row as it stands: its sentence, whether it has to cite, how far its slider is filled. The points, or nothing. */
function point({ row, box, slider, anchors }: Row): number | null {
  const given = box.value === "" || !box.validity.valid ? null : Number(box.value);
  const text = row.querySelector<HTMLElement>("[data-anchor]")!;
  text.textContent = given === null ? text.dataset.none! : anchors[given] ?? "";
  slider.classList.toggle("unset", given === null);
  slider.style.setProperty("--fill", `${given === null ? 0 : given * 5}%`);
  row.classList.toggle("low", given !== null && given <= 12);
  row.querySelector<HTMLElement>("[data-cite]")!.hidden = given === null || given > 12;
  return given;
}

/** The total with its grade once all five are given, and what follows from it. */
function sum(form: HTMLFormElement, total: HTMLElement, points: (number | null)[]): void {
  const words = [...total.querySelectorAll(".grade-scale p span")].map((span) => span.textContent ?? "");
  const given = points.filter((p): p is number => p !== null);
  const whole = given.length === points.length;
  const all = given.reduce((a, b) => a + b, 0);
  const veto = form.querySelector<HTMLInputElement>("[name=veto]")?.checked ?? false;
  const place = GRADES.findIndex(([least]) => all >= least);
  const grade = total.querySelector<HTMLElement>("[data-grade]")!;
  total.querySelector("[data-sum]")!.textContent = whole ? String(all) : "–";
  grade.textContent = whole ? words[3 - place] ?? "" : grade.dataset.rated!.replace("{n}", String(given.length));
  grade.className = `state ${!whole ? "" : all < 60 || veto ? "bad" : place === 0 ? "ok" : "info"}`;
  const mark = total.querySelector("[data-mark]")!;
  mark.setAttribute("x", String(Math.min(99.2, all)));
  mark.setAttribute("visibility", whole ? "visible" : "hidden");
  total.querySelector("[data-pentagon]")!.setAttribute("points", points.map((p, i) => {
    const [angle, far] = [((i * 72 - 90) * Math.PI) / 180, (50 * (p ?? 0)) / 20];
    return `${(far * Math.cos(angle)).toFixed(1)},${(far * Math.sin(angle)).toFixed(1)}`;
  }).join(" "));
  const pass = form.querySelector<HTMLInputElement>("input[name=decision][value=pass]");
  const back = form.querySelector<HTMLInputElement>("input[name=decision][value=return]");
  if (!pass || !back) return;
  pass.disabled = (whole && all < 60) || veto;
  if (pass.disabled && pass.checked) { back.checked = true; back.dispatchEvent(new Event("change", { bubbles: true })); }
}
