/** Words the server wrote for this page, in its language. */
const all: Record<string, string> = JSON.parse(document.body?.dataset.words ?? "{}");

export function word(name: string, values: Record<string, string | number> = {}): string {
  return (all[name] ?? name).replace(/\{(\w+)\}/g, (_, key: string) => String(values[key] ?? ""));
}

export function csrf(): string {
  return document.body.dataset.csrf ?? "";
}
