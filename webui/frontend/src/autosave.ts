import { locked } from "./lock";
import { csrf, word } from "./words";

/** Keeps what is written in `form#task[data-draft]`: POST of its fields with If-Match, two seconds after the last key. */
const QUIET = 2000;

export function start(): void {
  const form = document.querySelector<HTMLFormElement>("form#task[data-draft]");
  if (!form) return;
  const shown = document.querySelector<HTMLElement>("[data-saved]");
  let etag = form.dataset.etag || "0";
  let timer = 0;
  let running = false;
  let again = false;
  let stopped = false;
  const say = (text: string) => { if (shown) shown.textContent = text; };

  const save = async (leaving = false): Promise<void> => {
    timer = 0;
    if (stopped) return;
    if (running) { again = true; return; }
    running = true;
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && !["csrf_token", "password", "key"].includes(name)) fields.append(name, value);
    try {
      const answer = await fetch(form.dataset.draft!, {
        method: "POST", body: fields, keepalive: leaving, headers: { "If-Match": `"${etag}"`, "X-CSRFToken": csrf(), Accept: "application/json" },
      });
      if (answer.ok) {
        etag = (answer.headers.get("ETag") ?? etag).replace(/^W\/|"/g, "");
        say(word("saved", { time: (await answer.json()).at })); // the server's clock and zone, as every other time of the page
      } else if (answer.status === 409 || answer.status === 412) { stopped = true; say(word("draft_elsewhere")); }
      else if (answer.status === 404) { stopped = true; say(word("task_gone")); }
      else if (answer.status === 401) { say(word("logged_out")); again = false; locked((await answer.json()).code === "login_ended"); }
      else say(word("not_saved"));
    } catch { say(word("not_saved")); }
    running = false;
    if (again) { again = false; void save(); }
  };
  const soon = () => { clearTimeout(timer); timer = window.setTimeout(save, QUIET); };
  document.addEventListener("lianyi:unlocked", () => void save());
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.querySelector("[data-keep]")?.addEventListener("click", (event) => { event.preventDefault(); clearTimeout(timer); void save(); });
  form.addEventListener("submit", () => { clearTimeout(timer); stopped = true; });
  document.addEventListener("visibilitychange", () => { if (document.hidden && timer) { clearTimeout(timer); void save(true); } });
}
