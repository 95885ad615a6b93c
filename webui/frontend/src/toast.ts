const STAYS = 6;

/** Messages the page came with leave like the others, or at a click. */
export function start(): void {
  for (const box of document.querySelectorAll<HTMLElement>("[data-toasts] > .toast")) {
    setTimeout(() => box.remove(), STAYS * 1000);
    box.addEventListener("click", () => box.remove());
  }
}

/** A message at the lower left for six seconds; read aloud once. It may lead somewhere, or be undone. */
type Way = { href: string; text: string } | { act: () => void; text: string };

export function toast(text: string, way?: Way, seconds = STAYS): void {
  const region = document.querySelector("[data-toasts]");
  if (!region) return;
  const box = document.createElement("div");
  box.className = "toast";
  box.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (way && "href" in way) box.append(Object.assign(document.createElement("a"), { href: way.href, textContent: way.text }));
  else if (way) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: way.text });
    button.addEventListener("click", () => { box.remove(); way.act(); });
    box.append(button);
  }
  region.append(box);
  setTimeout(() => box.remove(), seconds * 1000);
}
