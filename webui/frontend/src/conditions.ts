/** The conditions of forms/conditions.py in the browser: show, hide and require fields while somebody fills in the form. */
type Json = null | boolean | number | string | Json[];
type Tree = { [key: string]: unknown };

const empty = (v: Json | undefined) => v === undefined || v === null || v === "" || (Array.isArray(v) && v.length === 0);
const same = (a: Json | undefined, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
const ordered = (test: (a: number | string, b: number | string) => boolean) => (v: Json | undefined, o: unknown) =>
  !empty(v) && typeof v === typeof o && test(v as number, o as number);

const operators: Record<string, (value: Json | undefined, other: unknown) => boolean> = {
  eq: same,
  ne: (v, o) => !same(v, o),
  in: (v, o) => Array.isArray(o) && (Array.isArray(v) ? v.some((one) => o.some((p) => same(one, p))) : o.some((p) => same(v, p))),
  gt: ordered((a, b) => a > b),
  gte: ordered((a, b) => a >= b),
  lt: ordered((a, b) => a < b),
  lte: ordered((a, b) => a <= b),
  empty: (v, o) => empty(v) === Boolean(o),
};

export function evaluate(tree: Tree, data: Record<string, Json>): boolean {
  if (tree.all) return (tree.all as Tree[]).every((part) => evaluate(part, data));
  if (tree.any) return (tree.any as Tree[]).some((part) => evaluate(part, data));
  if (tree.not) return !evaluate(tree.not as Tree, data);
  const value = data[tree.field as string];
  return Object.entries(tree).every(([name, other]) => name === "field" || (operators[name]?.(value, other) ?? true));
}

function value(field: HTMLElement): Json {
  const name = field.dataset.field!;
  const inputs = [...field.querySelectorAll<HTMLInputElement>(`[name="${CSS.escape(name)}"]`)];
  switch (field.dataset.control) {
    case "checks": return inputs.filter((i) => i.checked).map((i) => i.value);
    case "checkbox": return inputs.some((i) => i.type === "checkbox" && i.checked);
    case "joined": {
      const chosen = inputs.find((i) => i.checked)?.value ?? null;
      return field.dataset.bool === "true" && chosen !== null ? chosen === "true" : chosen;
    }
    case "number": case "score": return inputs[0]?.value ? Number(inputs[0].value) : null;
    default: return inputs[0]?.value ?? null;
  }
}

function apply(form: HTMLFormElement): void {
  const fields = [...form.querySelectorAll<HTMLElement>("[data-field]")];
  const data = Object.fromEntries(fields.map((f) => [f.dataset.field!, value(f)]));
  for (const field of fields) {
    if (field.dataset.condition) field.hidden = !evaluate(JSON.parse(field.dataset.condition), data);
    if (field.dataset.requiredCondition) {
      const needed = evaluate(JSON.parse(field.dataset.requiredCondition), data);
      field.dataset.required = String(needed);
      for (const input of field.querySelectorAll(".box")) input.setAttribute("aria-required", String(needed));
    }
  }
}

export function start(root: ParentNode = document): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form")) {
    if (!form.querySelector("[data-condition]:not([data-condition='']), [data-required-condition]:not([data-required-condition=''])")) continue;
    form.addEventListener("input", () => apply(form));
    form.addEventListener("change", () => apply(form));
    apply(form);
  }
}

/** The number beside a score slider follows it. */
export function outputs(root: ParentNode = document): void {
  root.addEventListener("input", (event) => {
    const slider = event.target as HTMLInputElement;
    if (slider.type !== "range") return;
    const shown = slider.closest("[data-field]")?.querySelector("output b");
    if (shown) shown.textContent = slider.value;
  });
}
