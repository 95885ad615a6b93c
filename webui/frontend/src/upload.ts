import { unzip } from "./unzip";
import { csrf, word } from "./words";

/**
 * A drop zone `[data-upload=url]`: the first bytes of every file are looked at by `data-heads`, ahead of and beside the upload.
 * What is the patient's own goes up; what is somebody else's or no image is named at once and stays here.
 */
const BATCH_FILES = 20;
const BATCH_BYTES = 8 * 1024 * 1024;
const HEAD = 16 * 1024;
const AT_ONCE = 16;
const LARGEST = 512 * 1024 * 1024;

type Told = {
  name: string; verdict: "ok" | "warn" | "stranger" | "foreign" | "broken"; why: string; here: string; there: string;
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

/** ZIPs are opened here; what cannot be opened here goes as a whole, and the server says what is wrong with it. */
async function opened(files: File[]): Promise<File[]> {
  const all: File[] = [];
  for (const file of files) {
    if (!file.name.toLowerCase().endsWith(".zip") || !file.size) { all.push(file); continue; }
    try { all.push(...(await unzip(file))); } catch { all.push(file); }
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

type Refusal = { file: number; name: string; why: string };
type Answer = { kept: number; refused: Refusal[] };

/** What the server took of these files and what not; an error only when it could not be asked or said nothing of the files. */
function send(url: string, files: File[], progress: (bytes: number) => void): Promise<Answer> {
  return new Promise((good, bad) => {
    const body = new FormData();
    for (const file of files) body.append("files", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrf());
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onload = () => {
      let told: Partial<Answer> & { message?: string } = {};
      try { told = JSON.parse(request.responseText); } catch { /* the answer was no JSON */ }
      if (told.refused) return good(told as Answer);
      bad(new Error(told.message || word("upload_failed", { status: request.status })));
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
    const key = file.series ?? file.name;
    let row = this.rows.get(key);
    if (!row) {
      const line = make("li", "up-row");
      line.append(make("span", "tag modality", file.modality ?? ""), make("b", "clip", file.study || file.modality || file.name));
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
      const row = this.rows.get(file.series ?? file.name);
      if (row) { row.done += 1; this.draw(row); }
    }
  }

  /** One that was to go up was not taken after all. */
  dropped(file: Told): void {
    const row = this.rows.get(file.series ?? file.name);
    if (!row) return;
    row.all -= 1;
    if (row.all) return this.draw(row);
    row.bar.closest("li")?.remove();
    this.rows.delete(file.series ?? file.name);
  }

  private draw(row: Row): void {
    row.bar.max = row.all;
    row.bar.value = row.done;
    row.count.textContent = `${row.done} / ${row.all}`;
  }

  refuse(file: Told): void {
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

const refusal = (name: string, why: string): Told => ({ name, why, verdict: "broken", here: "", there: "" });

async function upload(zone: HTMLElement, chosen: File[]): Promise<void> {
  if (!chosen.length) return;
  const status = zone.querySelector<HTMLElement>("[data-status]")!;
  const bar = zone.querySelector<HTMLProgressElement>("progress[data-whole]")!;
  const board = new Board(zone.querySelector<HTMLElement>("[data-series]")!, zone.querySelector<HTMLElement>("[data-trouble]")!);
  zone.querySelector("[data-again]")?.remove();
  zone.setAttribute("aria-busy", "true");
  let checked = 0, done = 0, kept = 0, left = 0, bytes = 0;
  const files = await opened(chosen);
  const open = new Set(files); // neither taken nor refused yet
  const stay = (file: File, told: Told) => { board.refuse(told); open.delete(file); left += 1; bytes += file.size; };
  try {
    for (const file of files) {
      if (!file.size) stay(file, refusal(file.name, word("upload_empty")));
      else if (file.size > LARGEST) stay(file, refusal(file.name, word("upload_large", { mb: LARGEST >> 20 })));
    }
    const fit = files.filter((file) => open.has(file));
    checked = files.length - fit.length;
    const total = files.reduce((sum, file) => sum + file.size, 0) || 1;
    const say = () => { status.textContent = word("uploading", { checked, done, all: files.length }); };
    const ready: [File, Told][] = [];
    let looking = true;
    let wake = () => {};
    bar.hidden = false; bar.max = total; bar.value = 0;
    const look = async () => {
      for (let from = 0; from < fit.length; from += AT_ONCE) {
        const part = fit.slice(from, from + AT_ONCE);
        const body = new FormData();
        for (const file of part) body.append("heads", file.slice(0, HEAD), file.name);
        const told: Told[] = (await (await post(zone.dataset.heads!, body)).json()).files;
        told.forEach((one, n) => {
          if (one.verdict === "ok" || one.verdict === "warn") { board.told(one); ready.push([part[n]!, one]); }
          else stay(part[n]!, one);
        });
        checked += part.length;
        say();
        wake();
      }
    };
    const looked = look().finally(() => { looking = false; wake(); });
    looked.catch(() => {}); // told below, where it is awaited
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
      const answered = await send(zone.dataset.upload!, batch.map(([file]) => file), (sent) => { bar.value = Math.min(total, bytes + sent); });
      const refused = new Set(answered.refused.map((one) => one.file));
      for (const one of answered.refused) board.refuse(refusal(one.name, one.why));
      batch.forEach(([file, told], n) => { open.delete(file); if (refused.has(n)) board.dropped(told); });
      bytes += size;
      done += batch.length - refused.size;
      kept += answered.kept;
      left += answered.refused.length;
      bar.value = Math.min(total, bytes);
      board.sent(batch.filter((_, n) => !refused.has(n)).map(([, told]) => told));
      say();
    }
    await looked;
    status.textContent = word(!kept && left ? "uploaded_none" : left ? "uploaded_left" : "uploaded", { all: kept, left });
  } catch (error) {
    status.textContent = word("upload_stopped", { done, all: files.length, why: (error as Error).message });
    again(zone, status, [...open]);
  }
  bar.hidden = true;
  zone.removeAttribute("aria-busy");
  if (kept) zone.dispatchEvent(new CustomEvent("lianyi:uploaded", { bubbles: true }));
}

/** What did not come to the end of it can go on without being chosen again. */
function again(zone: HTMLElement, status: HTMLElement, rest: File[]): void {
  if (!rest.length) return;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn sm", textContent: word("upload_again", { n: rest.length }) });
  button.dataset.again = "";
  button.addEventListener("click", () => {
    zone.querySelector("[data-series]")!.replaceChildren();
    void upload(zone, rest);
  });
  status.after(button);
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
