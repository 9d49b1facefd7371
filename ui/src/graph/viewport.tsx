// The window on a graph: it scrolls, is dragged, made larger and smaller, and walked through by key.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Box, Plan } from "./layout";

const kZoomMin = 0.04;
const kZoomMax = 1.6;
/** Below this scale no text can be read: boxes are blocks of colour. */
const kFar = 0.5;
/** A graph is made smaller down to this scale to fit; below it, it scrolls, unless it is larger than kOverview. */
const kReadable = 0.66;
/** With more boxes than this the first look is at all of it. */
const kOverview = 60;
export const kHeightMax = 620;

/** The scale at which the graph is shown when nobody has chosen one. */
export function fitScale(plan: Plan, width: number): number {
  if (width <= 0 || plan.width <= 0) return 1;
  const across = Math.min(1, width / plan.width);
  if (Object.keys(plan.boxes).length <= kOverview) return Math.max(kReadable, Math.min(across, kHeightMax / plan.height));
  return Math.max(kZoomMin, Math.min(across, kHeightMax / plan.height));
}

/** The scale on the screen now: where the buttons go on from. */
export const shownScale = signal(1);

export const clampZoom = (zoom: number) => Math.min(kZoomMax, Math.max(kZoomMin, zoom));

/** The box that an arrow key leads to: nearest that way, straight before slanted. */
export function neighbour(plan: Plan, from: string, key: string): string | null {
  const start = plan.boxes[from];
  if (!start) return null;
  const [dx, dy] = ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as Record<string, [number, number]>)[key] ?? [0, 0];
  let best: string | null = null;
  let least = Infinity;
  for (const [id, box] of Object.entries(plan.boxes)) {
    const along = (box.x - start.x) * dx + (box.y - start.y) * dy;
    const aside = Math.abs((box.x - start.x) * dy) + Math.abs((box.y - start.y) * dx);
    if (along <= 1 || aside > along * 4 + (dx === 0 ? 60 : 0)) continue;
    if (along + 2 * aside < least) { least = along + 2 * aside; best = id; }
  }
  return best;
}

interface Pinch { scale: number; apart: number; x: number; y: number }

const apartOf = ([a, b]: Touch[]) => (a && b ? Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) : 0);

/** Two fingers on the graph make it larger and smaller; the point between them stays between them. */
function usePinch(ref: { current: HTMLDivElement | null }, anchor: { current: Anchor | null }, scale: number, setZoom: (zoom: number) => void) {
  const now = useRef(scale);
  now.current = scale;
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    let pinch: Pinch | null = null;
    const middle = ([a, b]: Touch[]) => {
      const box = element.getBoundingClientRect();
      return a && b ? { px: (a.clientX + b.clientX) / 2 - box.left, py: (a.clientY + b.clientY) / 2 - box.top } : { px: 0, py: 0 };
    };
    const onTouch = (event: TouchEvent) => {
      const fingers = [...event.touches];
      const apart = apartOf(fingers);
      if (fingers.length !== 2 || apart === 0) { pinch = null; return; }
      event.preventDefault();
      const { px, py } = middle(fingers);
      pinch ??= { scale: now.current, apart, x: (element.scrollLeft + px) / now.current, y: (element.scrollTop + py) / now.current };
      anchor.current = { px, py, x: pinch.x, y: pinch.y };
      setZoom(clampZoom(pinch.scale * apart / pinch.apart));
    };
    const kinds = ["touchstart", "touchmove", "touchend", "touchcancel"] as const;
    for (const kind of kinds) element.addEventListener(kind, onTouch, { passive: false });
    return () => { for (const kind of kinds) element.removeEventListener(kind, onTouch); };
  }, []);
}

interface Anchor { x: number; y: number; px: number; py: number }

/** Dragging the ground scrolls; the wheel with Ctrl or a pinch makes larger and smaller around the pointer. */
function useHandling(scale: number, setZoom: (zoom: number) => void) {
  const ref = useRef<HTMLDivElement>(null);
  const drag = useRef<{ x: number; y: number; left: number; top: number } | null>(null);
  const anchor = useRef<Anchor | null>(null);
  usePinch(ref, anchor, scale, setZoom);
  useEffect(() => {
    const element = ref.current;
    const onWheel = (event: WheelEvent) => {
      if (!element || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      const box = element.getBoundingClientRect();
      const [px, py] = [event.clientX - box.left, event.clientY - box.top];
      anchor.current = { px, py, x: (element.scrollLeft + px) / scale, y: (element.scrollTop + py) / scale };
      setZoom(clampZoom(scale * Math.exp(-event.deltaY / 300)));
    };
    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, [scale]);
  const last = useRef(scale);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element || last.current === scale) return;
    const [px, py] = anchor.current ? [anchor.current.px, anchor.current.py] : [element.clientWidth / 2, element.clientHeight / 2];
    const x = anchor.current?.x ?? (element.scrollLeft + px) / last.current;
    const y = anchor.current?.y ?? (element.scrollTop + py) / last.current;
    element.scrollLeft = x * scale - px;
    element.scrollTop = y * scale - py;
    anchor.current = null;
    last.current = scale;
  }, [scale]);
  const handlers = {
    onPointerDown: (event: PointerEvent) => {
      const element = ref.current;
      if (!element || event.button !== 0 || event.pointerType !== "mouse" || (event.target as Element).closest("button")) return;
      drag.current = { x: event.clientX, y: event.clientY, left: element.scrollLeft, top: element.scrollTop };
      element.setPointerCapture(event.pointerId);
      element.classList.add("dragged");
    },
    onPointerMove: (event: PointerEvent) => {
      if (!drag.current || !ref.current) return;
      ref.current.scrollLeft = drag.current.left - (event.clientX - drag.current.x);
      ref.current.scrollTop = drag.current.top - (event.clientY - drag.current.y);
    },
    onPointerUp: () => { drag.current = null; ref.current?.classList.remove("dragged"); },
    onPointerCancel: () => { drag.current = null; ref.current?.classList.remove("dragged"); },
  };
  return { ref, handlers };
}

/** Fades the side behind which there is more to see. */
function showMore(element: HTMLElement | null): void {
  if (!element) return;
  element.classList.toggle("more-left", element.scrollLeft > 2);
  element.classList.toggle("more-right", element.scrollLeft + element.clientWidth < element.scrollWidth - 2);
}

export interface ViewportProps {
  plan: Plan;
  scale: number;
  zoom: number | null;
  setZoom: (zoom: number | null) => void;
  label: string;
  /** Which box the keys move from, and how they are told where to. */
  active: string | null;
  setActive: (id: string) => void;
  children: ComponentChildren;
}

export function Viewport(props: ViewportProps) {
  const { plan, scale } = props;
  const { ref, handlers } = useHandling(scale, props.setZoom);
  useLayoutEffect(() => {
    shownScale.value = scale;
    showMore(ref.current);
  }, [scale, plan]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") props.setZoom(clampZoom(scale * 1.25));
    else if (event.key === "-") props.setZoom(clampZoom(scale / 1.25));
    else if (event.key === "0") props.setZoom(null);
    else {
      const on = (event.target as HTMLElement).closest<HTMLElement>("[data-node]")?.dataset.node ?? null;
      const next = on === null ? null : neighbour(plan, on, event.key);
      if (next === null) return;
      props.setActive(next);
      nodeOf(next)?.querySelector("button")?.focus();
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="graph" data-far={scale < kFar || undefined} ref={ref} role="group" aria-label={props.label} onKeyDown={onKeyDown} onScroll={(event) => showMore(event.currentTarget)} {...handlers}>
      <div class="canvas" style={{ width: `${plan.width * scale}px`, height: `${plan.height * scale}px` }}>
        <div class="drawing" style={{ width: `${plan.width}px`, height: `${plan.height}px`, transform: `scale(${scale})` }}>{props.children}</div>
      </div>
    </div>
  );
}

export function ZoomTools(props: { zoom: number | null; setZoom: (zoom: number | null) => void }) {
  const { setZoom } = props;
  return (
    <div class="segments" role="group" aria-label="Size of the graph">
      <button type="button" onClick={() => setZoom(clampZoom(shownScale.value / 1.25))} aria-label="Smaller" title="Smaller (-)">{"\u2212"}</button>
      <button type="button" onClick={() => setZoom(null)} aria-pressed={props.zoom === null} title="All of it (0)">Fit</button>
      <button type="button" onClick={() => setZoom(clampZoom(shownScale.value * 1.25))} aria-label="Larger" title="Larger (+)">+</button>
    </div>
  );
}

/** The box of a node on the screen. */
export const nodeOf = (id: string) => [...document.querySelectorAll<HTMLElement>("[data-node]")].find((one) => one.dataset.node === id) ?? null;

export const placed = (box: Box) => ({
  left: `${box.x - box.width / 2}px`, top: `${box.y - box.height / 2}px`, width: `${box.width}px`, height: `${box.height}px`,
});
