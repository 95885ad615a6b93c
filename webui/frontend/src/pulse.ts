import { toast } from "./toast";
import { locked } from "./lock";
import { word } from "./words";

/**
 * Asks for new tasks; an urgent one not seen before is told by a toast and a tone. Asking is no sign of life by itself: only
 * what a person did since the last question keeps the screen open, and when it is locked the question comes back as that.
 */
const EVERY = 1500;
const SEEN = "lianyi.urgent";

type Urgent = { id: string; title: string; url: string };
type Answer = { waiting: number; urgent: Urgent[] };

let audio: AudioContext | undefined;
let waiting: number | undefined;

function beep(): void {
  audio ??= new AudioContext();
  if (audio.state === "suspended") void audio.resume();
  const start = audio.currentTime;
  for (const [at, pitch] of [[0, 880], [0.18, 1175]] as const) {
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(0.0001, start + at);
    gain.gain.exponentialRampToValueAtTime(0.2, start + at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + at + 0.16);
    tone.connect(gain).connect(audio.destination);
    tone.start(start + at);
    tone.stop(start + at + 0.17);
  }
  document.dispatchEvent(new CustomEvent("lianyi:rang"));
}

function told(answer: Answer, first: boolean): void {
  const seen = new Set<string>(JSON.parse(sessionStorage.getItem(SEEN) ?? "[]"));
  const fresh = answer.urgent.filter((task) => !seen.has(task.id));
  sessionStorage.setItem(SEEN, JSON.stringify(answer.urgent.map((task) => task.id)));
  if (waiting !== undefined && waiting !== answer.waiting) document.dispatchEvent(new CustomEvent("lianyi:waiting"));
  waiting = answer.waiting;
  for (const count of document.querySelectorAll<HTMLElement>("[data-count='inbox']")) count.textContent = answer.waiting ? String(answer.waiting) : "";
  if (first || !fresh.length) return;
  for (const task of fresh.slice(0, 3)) toast(task.title, { href: task.url, text: word("open") }, 12);
  beep();
}

export function start(): void {
  const url = document.body.dataset.pulse;
  if (!url) return;
  let active = true;
  let first = sessionStorage.getItem(SEEN) === null;
  for (const event of ["keydown", "pointerdown", "pointermove", "scroll"]) document.addEventListener(event, () => { active = true; }, { passive: true, capture: true });
  document.addEventListener("pointerdown", () => { audio ??= new AudioContext(); }, { once: true });
  const ask = async (): Promise<void> => {
    let wait = EVERY;
    const alive = active;
    active = false;
    try {
      const answer = await fetch(alive ? `${url}?active=1` : url, { headers: { Accept: "application/json" } });
      if (answer.status === 401) { locked((await answer.json()).code === "login_ended"); wait = 4 * EVERY; }
      else if (answer.status === 404) return;
      else if (answer.ok) { told(await answer.json(), first); first = false; }
      else wait = 10 * EVERY;
    } catch { wait = 10 * EVERY; active ||= alive; }
    setTimeout(ask, wait);
  };
  setTimeout(ask, EVERY);
}
