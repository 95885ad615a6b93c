import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";

/** `<bpmn-view src="…bpmn" state="…json">`: a diagram to look at, with where the case is drawn on it. */
type State = { passed?: string[]; active?: string[]; incident?: Record<string, number>; took?: Record<string, string> };

function element(name: string, text = ""): HTMLElement {
  return Object.assign(document.createElement("div"), { className: name, textContent: text });
}

/** Labels are drawn at 14 px and never smaller than 12 px: a wider diagram scrolls inside its box. */
const DRAWN = 14;
const SMALLEST = 12 / DRAWN;

export class BpmnView extends HTMLElement {
  private viewer?: NavigatedViewer;

  async connectedCallback(): Promise<void> {
    const canvas = document.createElement("div");
    canvas.className = "bpmn-canvas";
    canvas.style.height = `${this.dataset.height ?? 480}px`;
    this.replaceChildren(canvas);
    const text = { fontSize: DRAWN, lineHeight: 1.2, fontFamily: getComputedStyle(document.body).fontFamily };
    this.viewer = new NavigatedViewer({ container: canvas, textRenderer: { defaultStyle: text, externalStyle: text } });
    const xml = await (await fetch(this.getAttribute("src")!)).text();
    await this.viewer.importXML(xml);
    this.fit(canvas);
    const state = this.getAttribute("state");
    if (state) this.show(await (await fetch(state, { headers: { Accept: "application/json" } })).json());
    this.dispatchEvent(new CustomEvent("lianyi:drawn", { bubbles: true }));
  }

  /** The whole diagram with a margin, at most at its own size and never too small to read, in a box as tall as it needs. */
  private fit(box: HTMLElement): void {
    type Area = { x: number; y: number; width: number; height: number };
    const canvas = this.viewer!.get<{ viewbox(area?: Area): { inner: Area }; resized(): void }>("canvas");
    const { inner } = canvas.viewbox();
    const margin = 24;
    const scale = Math.max(SMALLEST, Math.min(1, (box.clientWidth - 2 * margin) / inner.width));
    box.style.minWidth = `${Math.ceil(inner.width * scale + 2 * margin)}px`;
    box.style.height = `${Math.round(Math.max(260, inner.height * scale + 2 * margin + 40))}px`;
    canvas.resized();
    const width = box.clientWidth / scale;
    const height = box.clientHeight / scale;
    canvas.viewbox({ x: inner.x - (width - inner.width) / 2, y: inner.y - margin / scale, width, height });
  }

  /** Where the case stands is in view, however wide the diagram is. */
  private reveal(id = ""): void {
    const shape = this.querySelector<SVGGElement>(`[data-element-id="${CSS.escape(id)}"]`);
    if (!shape) return;
    const [at, box] = [shape.getBoundingClientRect(), this.getBoundingClientRect()];
    this.scrollLeft += at.left + at.width / 2 - box.left - box.width / 2;
  }

  disconnectedCallback(): void { this.viewer?.destroy(); }

  /** Mark what was passed, where the case is, and what failed; elements of other diagrams are left out. */
  show(state: State): void {
    const registry = this.viewer!.get<{ get(id: string): unknown }>("elementRegistry");
    const canvas = this.viewer!.get<{ addMarker(id: string, name: string): void }>("canvas");
    const overlays = this.viewer!.get<{ add(id: string, o: object): void; clear(): void }>("overlays");
    overlays.clear();
    const known = (ids: string[] = []) => ids.filter((id) => registry.get(id));
    for (const id of known(state.passed)) canvas.addMarker(id, "at-passed");
    for (const id of known(state.active)) {
      canvas.addMarker(id, "at-active");
      overlays.add(id, { position: { top: -10, left: -10 }, html: element("token") });
    }
    this.reveal(known(state.active)[0]);
    for (const id of known(Object.keys(state.incident ?? {}))) {
      canvas.addMarker(id, "at-incident");
      overlays.add(id, { position: { top: -9, right: 9 }, html: element("trouble", String(state.incident![id])) });
    }
    for (const id of known(Object.keys(state.took ?? {})))
      overlays.add(id, { position: { bottom: -4, left: 0 }, html: element("took", state.took![id]) });
  }
}

if (!customElements.get("bpmn-view")) customElements.define("bpmn-view", BpmnView);
