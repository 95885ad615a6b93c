import { csrf, word } from "./words";
import { toast } from "./toast";

/** The list of tasks: the preview follows the selected row, filters apply as they are chosen, a swipe to the right claims. */
const PAUSE = 80;
const FAR = 72;

export function start(): void {
  bind();
  if (location.pathname === "/inbox") document.addEventListener("lianyi:waiting", () => void refresh());
}

/** Other tasks wait than are shown: the list is fetched anew, unless somebody is typing in it. */
async function refresh(): Promise<void> {
  const main = document.querySelector<HTMLElement>("#main");
  if (!main || main.querySelector("input:focus, select:focus, textarea:focus")) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#main");
  if (!fresh) return;
  const top = main.querySelector(".scroll")?.scrollTop ?? 0;
  main.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
  main.querySelector(".scroll")?.scrollTo({ top });
  bind();
}

function bind(): void {
  const list = document.querySelector<HTMLElement>("table.tasks");
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-filters]")) form.addEventListener("change", () => form.requestSubmit());
  if (!list) return;
  let timer = 0;
  let turn = 0;
  list.addEventListener("lianyi:select", (event) => {
    const row = event.target as HTMLElement;
    clearTimeout(timer);
    timer = window.setTimeout(() => void show(row, ++turn, () => turn), PAUSE);
  });
  swipe(list);
}

async function show(row: HTMLElement, mine: number, now: () => number): Promise<void> {
  const address = new URL(location.href);
  address.searchParams.set("task", row.dataset.task!);
  const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || mine !== now()) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const [fresh, old] = [page.querySelector("[data-preview]"), document.querySelector("[data-preview]")];
  if (fresh && old) old.replaceWith(document.importNode(fresh, true));
  history.replaceState(null, "", address);
}

function swipe(list: HTMLElement): void {
  let row: HTMLElement | null = null;
  let from: [number, number] = [0, 0];
  list.addEventListener("touchstart", (event) => {
    const touch = event.touches[0]!;
    row = (event.target as HTMLElement).closest<HTMLElement>("tr[data-claim]");
    from = [touch.clientX, touch.clientY];
  }, { passive: true });
  list.addEventListener("touchmove", (event) => {
    const touch = event.touches[0]!;
    row?.classList.toggle("swiped", touch.clientX - from[0] > FAR && Math.abs(touch.clientY - from[1]) < 40);
  }, { passive: true });
  list.addEventListener("touchend", (event) => {
    const [touch, done] = [event.changedTouches[0]!, row];
    row = null;
    done?.classList.remove("swiped");
    if (done && touch.clientX - from[0] > FAR && Math.abs(touch.clientY - from[1]) < 40) void claim(done);
  });
}

/** Claiming can be undone, so it is done at once. */
async function claim(row: HTMLElement): Promise<void> {
  const url = row.dataset.claim!;
  const send = (address: string) => fetch(address, { method: "POST", headers: { "X-CSRFToken": csrf(), "X-Requested-With": "fetch" }, redirect: "manual" });
  const answer = await send(url).catch(() => null);
  if (!answer || answer.status >= 400) return toast(word("not_claimed"));
  row.removeAttribute("data-claim");
  row.classList.add("mine");
  toast(word("claimed"), { text: word("undo"), act: () => void send(url.replace(/claim$/, "unclaim")).then(() => location.reload()) });
}
