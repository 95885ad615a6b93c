/** A message at the lower left for six seconds; read aloud once. */
export function toast(text: string, link?: { href: string; text: string }, seconds = 6): void {
  const region = document.querySelector("[data-toasts]");
  if (!region) return;
  const box = document.createElement("div");
  box.className = "toast";
  box.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (link) box.append(Object.assign(document.createElement("a"), { href: link.href, textContent: link.text }));
  region.append(box);
  setTimeout(() => box.remove(), seconds * 1000);
}
