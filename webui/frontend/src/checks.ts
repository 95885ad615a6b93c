import { csrf, word } from "./words";

/** `[data-checks=url]` beside form#task: what the server would find is asked for again after each change and each upload. */
const QUIET = 500;

export function start(): void {
  const pane = document.querySelector<HTMLElement>("[data-checks]");
  const form = document.querySelector<HTMLFormElement>("form#task");
  if (!pane || !form) return;
  const still = form.querySelector<HTMLElement>("[data-still]");
  let timer = 0;
  let turn = 0;
  const leaving = new AbortController();
  const tell = () => {
    const blocks = Number(pane.querySelector<HTMLElement>("[data-blocks]")?.dataset.blocks ?? 0);
    if (still) { still.hidden = !blocks || form.querySelector("[data-still-wrong]") !== null; still.textContent = blocks ? word("still", { n: blocks }) : ""; }
  };
  const ask = async (): Promise<void> => {
    const mine = ++turn;
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && !["csrf_token", "password", "key"].includes(name)) fields.append(name, value);
    try {
      const answer = await fetch(pane.dataset.checks!, { method: "POST", body: fields, headers: { "X-CSRFToken": csrf(), Accept: "text/html" }, signal: leaving.signal });
      if (!answer.ok || mine !== turn) return;
      pane.innerHTML = await answer.text();
      tell();
    } catch { /* the next change asks again */ }
  };
  const soon = () => { clearTimeout(timer); timer = window.setTimeout(() => void ask(), QUIET); };
  form.addEventListener("change", soon);
  form.addEventListener("input", soon);
  form.addEventListener("submit", () => { clearTimeout(timer); leaving.abort(); }); // a task handed in has nothing to check
  document.addEventListener("lianyi:uploaded", () => void refresh(form).then(ask));
  tell();
}

/** After an upload the studies to choose from are other ones: their field is fetched anew, what was ticked stays ticked. */
async function refresh(form: HTMLFormElement): Promise<void> {
  const old = form.querySelector<HTMLElement>("[data-field=studies]");
  if (!old) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector<HTMLElement>("form#task [data-field=studies]");
  if (!fresh) return;
  const known = new Map([...old.querySelectorAll<HTMLInputElement>("input")].map((i) => [i.value, i.checked]));
  for (const input of fresh.querySelectorAll<HTMLInputElement>("input")) input.checked = known.get(input.value) ?? true;
  old.replaceWith(document.importNode(fresh, true));
  form.dispatchEvent(new Event("change", { bubbles: true }));
}
