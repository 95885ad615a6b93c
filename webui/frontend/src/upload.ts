import { csrf, word } from "./words";

/** A drop zone `[data-upload=url]`: files, folders or a ZIP go up in batches with progress; then the page at data-done opens. */
const BATCH_FILES = 50;
const BATCH_BYTES = 32 * 1024 * 1024;

async function walk(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) return [await new Promise<File>((good, bad) => (entry as FileSystemFileEntry).file(good, bad))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((good, bad) => reader.readEntries(good, bad));
    if (!part.length) return found;
    for (const one of part) found.push(...(await walk(one)));
  }
}

function batches(files: File[]): File[][] {
  const all: File[][] = [];
  let now: File[] = [];
  let size = 0;
  for (const file of files) {
    if (now.length && (now.length >= BATCH_FILES || size + file.size > BATCH_BYTES)) { all.push(now); now = []; size = 0; }
    now.push(file);
    size += file.size;
  }
  return now.length ? [...all, now] : all;
}

function send(url: string, name: string, files: File[], progress: (bytes: number) => void): Promise<void> {
  return new Promise((good, bad) => {
    const body = new FormData();
    for (const file of files) body.append(name, file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrf());
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onload = () => {
      if (request.status < 400) return good();
      let told = "";
      try { told = JSON.parse(request.responseText).message; } catch { /* the answer was no JSON */ }
      bad(new Error(told || word("upload_failed", { status: request.status })));
    };
    request.onerror = () => bad(new Error(word("upload_broken")));
    request.send(body);
  });
}

async function upload(zone: HTMLElement, files: File[]): Promise<void> {
  if (!files.length) return;
  const bar = zone.querySelector("progress");
  const status = zone.querySelector<HTMLElement>("[data-status]");
  const total = files.reduce((sum, file) => sum + file.size, 0) || 1;
  let bytes = 0;
  let count = 0;
  if (bar) { bar.hidden = false; bar.max = total; bar.value = 0; }
  try {
    for (const batch of batches(files)) {
      if (status) status.textContent = word("uploading", { done: count, all: files.length });
      await send(zone.dataset.upload!, zone.dataset.name ?? "files", batch, (sent) => { if (bar) bar.value = Math.min(total, bytes + sent); });
      count += batch.length;
      bytes += batch.reduce((sum, file) => sum + file.size, 0);
    }
    if (status) status.textContent = word("uploaded", { all: files.length });
    zone.dispatchEvent(new CustomEvent("lianyi:uploaded", { bubbles: true }));
    if (zone.dataset.done) location.assign(zone.dataset.done);
  } catch (error) {
    if (status) status.textContent = word("upload_stopped", { done: count, all: files.length, why: (error as Error).message });
  }
}

export function start(root: ParentNode = document): void {
  for (const zone of root.querySelectorAll<HTMLElement>("[data-upload]")) {
    for (const input of zone.querySelectorAll<HTMLInputElement>("input[type=file]"))
      input.addEventListener("change", () => { void upload(zone, [...(input.files ?? [])]); input.value = ""; });
    for (const button of zone.querySelectorAll<HTMLElement>("[data-pick]"))
      button.addEventListener("click", () => zone.querySelector<HTMLInputElement>(`input[type=file][data-${button.dataset.pick}]`)?.click());
    zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", async (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      const entries = [...(event.dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry()).filter((e): e is FileSystemEntry => e !== null);
      const found: File[] = [];
      for (const entry of entries) found.push(...(await walk(entry)));
      void upload(zone, found);
    });
  }
}
