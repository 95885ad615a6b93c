/**
 * The consultation room: asks every two seconds who is there and how it stands, which also says that one is still here, and
 * fetches what changed. Asking keeps no screen open by itself.
 */
const EVERY = 2000;

export function start(): void {
  const room = document.querySelector<HTMLElement>("[data-room]");
  if (!room) return;
  let version = room.dataset.version;
  pick();
  lasts();
  const ask = async (): Promise<void> => {
    let wait = EVERY;
    try {
      const answer = await fetch(room.dataset.room!, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const now = (await answer.json()).version as string;
        if (now !== version && (await refresh())) version = now;
      } else wait = 5 * EVERY;
    } catch { wait = 5 * EVERY; }
    lasts();
    setTimeout(ask, wait);
  };
  setTimeout(ask, EVERY);
}

/** How long it has lasted by now. */
function lasts(): void {
  for (const node of document.querySelectorAll<HTMLElement>("[data-lasts]")) {
    node.dataset.seen ??= String(performance.now()); // the clock of this computer may be wrong, how fast it goes is not
    const seconds = Number(node.dataset.lasts) + (performance.now() - Number(node.dataset.seen)) / 1000;
    const minutes = Math.max(1, Math.ceil(seconds / 60));
    node.textContent = node.dataset.words!.replace("{n}", String(minutes));
  }
}

/** Take over the parts of the page that change by themselves; the picture stays as it is. */
async function refresh(): Promise<boolean> {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of document.querySelectorAll<HTMLElement>("[data-live]")) {
    const fresh = page.querySelector<HTMLElement>(`[data-live="${old.dataset.live}"]`);
    if (fresh && old.dataset.liveKey !== undefined) {
      // A form one writes in stays; when another act is due, the page begins anew with it.
      if (fresh.dataset.liveKey !== old.dataset.liveKey) location.reload();
    } else if (fresh && fresh.innerHTML !== old.innerHTML) old.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
  }
  return true;
}

/** A small picture becomes the large one. */
function pick(): void {
  const large = document.querySelector<HTMLImageElement>("[data-large]");
  for (const small of document.querySelectorAll<HTMLAnchorElement>("a[data-pick]")) {
    small.addEventListener("click", (event) => {
      if (!large || event.metaKey || event.ctrlKey) return;
      event.preventDefault();
      large.src = small.querySelector("img")!.src;
      document.querySelectorAll("a[data-pick]").forEach((one) => one.toggleAttribute("aria-current", one === small));
      const place = document.querySelector("[data-place]");
      if (place) place.textContent = small.dataset.pick!;
    });
  }
}
