import { toast } from "./toast";
import { word } from "./words";

/** Asks for new tasks; an urgent one not seen before is told by a toast and a tone. Rests when nobody is at the screen. */
const EVERY = 1500;
const IDLE = 14 * 60_000;
const SEEN = "lianyi.urgent";

type Urgent = { id: string; title: string; url: string };
type Answer = { waiting: number; urgent: Urgent[] };

let audio: AudioContext | undefined;

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
}

function told(answer: Answer, first: boolean): void {
  const seen = new Set<string>(JSON.parse(sessionStorage.getItem(SEEN) ?? "[]"));
  const fresh = answer.urgent.filter((task) => !seen.has(task.id));
  sessionStorage.setItem(SEEN, JSON.stringify(answer.urgent.map((task) => task.id)));
  for (const count of document.querySelectorAll<HTMLElement>("[data-count='inbox']")) count.textContent = answer.waiting ? String(answer.waiting) : "";
  if (first || !fresh.length) return;
  for (const task of fresh.slice(0, 3)) toast(task.title, { href: task.url, text: word("open") }, 12);
  beep();
}

export function start(): void {
  const url = document.body.dataset.pulse;
  if (!url) return;
  let active = Date.now();
  let first = sessionStorage.getItem(SEEN) === null;
  for (const event of ["keydown", "pointerdown", "pointermove"]) document.addEventListener(event, () => { active = Date.now(); }, { passive: true });
  document.addEventListener("pointerdown", () => { audio ??= new AudioContext(); }, { once: true });
  const ask = async (): Promise<void> => {
    let wait = EVERY;
    if (Date.now() - active < IDLE) {
      try {
        const answer = await fetch(url, { headers: { Accept: "application/json" } });
        if (answer.status === 401 || answer.status === 404) return;
        if (answer.ok) { told(await answer.json(), first); first = false; } else wait = 10 * EVERY;
      } catch { wait = 10 * EVERY; }
    }
    setTimeout(ask, wait);
  };
  setTimeout(ask, EVERY);
}
