import { NotAZip, unzip } from "./unzip";
import { csrf, word } from "./words";

/**
 * A drop zone `[data-upload=url]`: the first bytes of every file are looked at by `data-heads`, ahead of and beside the upload.
 * What is the patient's own goes up; what is somebody else's or no image is named at once and stays here.
 */
const BATCH_FILES = 20;
const BATCH_BYTES = 8 * 1024 * 1024;
const HEAD = 16 * 1024;
const AT_ONCE = 16;

type Told = {
  name: string; verdict: "ok" | "warn" | "stranger" | "foreign"; why: string; here: string; there: string;
  series?: string; number?: number; modality?: string; study?: string; description?: string; date?: string;
};
type Row = { bar: HTMLProgressElement; count: HTMLElement; all: number; done: number };

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

async function opened(files: File[]): Promise<File[]> {
  const all: File[] = [];
  for (const file of files) {
    if (!file.name.toLowerCase().endsWith(".zip")) { if (file.size) all.push(file); continue; }
    try { all.push(...(await unzip(file))); } catch (error) { if (!(error instanceof NotAZip)) throw error; all.push(file); }
  }
  return all;
}

async function answer(request: Response): Promise<Response> {
  if (request.ok || request.status === 422) return request;
  let told = "";
  try { told = (await request.json()).message; } catch { /* the answer was no JSON */ }
  throw new Error(told || word("upload_failed", { status: request.status }));
}

async function post(url: string, body: FormData): Promise<Response> {
  try { return await answer(await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": csrf(), Accept: "application/json" } })); }
  catch (error) { throw error instanceof TypeError ? new Error(word("upload_broken")) : error; }
}

function send(url: string, files: File[], progress: (bytes: number) => void): Promise<void> {
  return new Promise((good, bad) => {
    const body = new FormData();
    for (const file of files) body.append("files", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrf());
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onload = () => {
      if (request.status < 400 || request.status === 422) return good();
      let told = "";
      try { told = JSON.parse(request.responseText).message; } catch { /* the answer was no JSON */ }
      bad(new Error(told || word("upload_failed", { status: request.status })));
    };
    request.onerror = () => bad(new Error(word("upload_broken")));
    request.send(body);
  });
}

function make(tag: string, name: string, text = ""): HTMLElement {
  return Object.assign(document.createElement(tag), { className: name, textContent: text });
}

/** What is shown while it goes on: a line a series with its bar, a line a file that stays here. */
class Board {
  private rows = new Map<string, Row>();
  constructor(private series: HTMLElement, private trouble: HTMLElement) {}

  told(file: Told): void {
    if (file.verdict === "stranger" || file.verdict === "foreign") return this.refuse(file);
    const key = file.series ?? "";
    let row = this.rows.get(key);
    if (!row) {
      const line = make("li", "up-row");
      line.append(make("span", "tag modality", file.modality ?? ""), make("b", "clip", file.study || file.modality || ""));
      line.append(make("span", "meta clip", [file.number !== undefined && file.number !== null ? word("series", { n: file.number }) : "", file.description ?? ""].filter(Boolean).join("，")));
      const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
      bar.setAttribute("aria-label", file.description || file.study || "");
      const count = make("span", "up-count");
      line.append(bar, count);
      this.series.append(line);
      row = { bar, count, all: 0, done: 0 };
      this.rows.set(key, row);
    }
    row.all += 1;
    this.draw(row);
    if (file.verdict === "warn") this.refuse(file);
  }

  sent(files: Told[]): void {
    for (const file of files) {
      const row = this.rows.get(file.series ?? "");
      if (row) { row.done += 1; this.draw(row); }
    }
  }

  private draw(row: Row): void {
    row.bar.max = row.all;
    row.bar.value = row.done;
    row.count.textContent = `${row.done} / ${row.all}`;
  }

  private refuse(file: Told): void {
    const line = make("li", `up-wrong ${file.verdict}`);
    line.dataset.verdict = file.verdict;
    line.append(make("b", "", file.why), make("span", "mono", file.name));
    if (file.here || file.there) {
      const pair = make("span", "up-pair");
      pair.append(make("span", "", word("application_says", { value: file.here || "–" })), make("span", "", word("image_says", { value: file.there || "–" })));
      line.append(pair);
    }
    this.trouble.append(line);
  }
}

async function upload(zone: HTMLElement, chosen: File[]): Promise<void> {
  if (!chosen.length) return;
  const status = zone.querySelector<HTMLElement>("[data-status]")!;
  const bar = zone.querySelector<HTMLProgressElement>("progress[data-whole]")!;
  const board = new Board(zone.querySelector<HTMLElement>("[data-series]")!, zone.querySelector<HTMLElement>("[data-trouble]")!);
  zone.setAttribute("aria-busy", "true");
  let checked = 0, done = 0, left = 0, bytes = 0;
  try {
    const files = await opened(chosen);
    const total = files.reduce((sum, file) => sum + file.size, 0) || 1;
    const say = () => { status.textContent = word("uploading", { checked, done, all: files.length }); };
    const ready: [File, Told][] = [];
    let looking = true;
    let wake = () => {};
    bar.hidden = false; bar.max = total; bar.value = 0;
    const look = async () => {
      for (let from = 0; from < files.length; from += AT_ONCE) {
        const part = files.slice(from, from + AT_ONCE);
        const body = new FormData();
        for (const file of part) body.append("heads", file.slice(0, HEAD), file.name);
        const told: Told[] = (await (await post(zone.dataset.heads!, body)).json()).files;
        told.forEach((one, n) => {
          board.told(one);
          if (one.verdict === "ok" || one.verdict === "warn") ready.push([part[n]!, one]);
          else { left += 1; bytes += part[n]!.size; }
        });
        checked += part.length;
        say();
        wake();
      }
    };
    const looked = look().finally(() => { looking = false; wake(); });
    for (;;) {
      if (!ready.length) {
        if (!looking) break;
        await new Promise<void>((go) => { wake = go; });
        continue;
      }
      const batch: [File, Told][] = [];
      let size = 0;
      while (ready.length && batch.length < BATCH_FILES && (!batch.length || size + ready[0]![0].size <= BATCH_BYTES)) {
        size += ready[0]![0].size;
        batch.push(ready.shift()!);
      }
      await send(zone.dataset.upload!, batch.map(([file]) => file), (sent) => { bar.value = Math.min(total, bytes + sent); });
      bytes += size;
      done += batch.length;
      bar.value = Math.min(total, bytes);
      board.sent(batch.map(([, told]) => told));
      say();
    }
    await looked;
    bar.hidden = true;
    status.textContent = word(left ? "uploaded_left" : "uploaded", { all: done, left });
    zone.dispatchEvent(new CustomEvent("lianyi:uploaded", { bubbles: true }));
  } catch (error) {
    status.textContent = word("upload_stopped", { done, all: chosen.length, why: (error as Error).message });
  }
  zone.removeAttribute("aria-busy");
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
