// The plan of a graph, asked from the worker once for each shape and kept for the next visit.
import { useEffect, useState } from "preact/hooks";
import type { Plan, Shape } from "./layout";

const kCachePrefix = "millrace-plan-";

let worker: Worker | null = null;
let asked = 0;
const waiting = new Map<number, (plan: Plan) => void>();

function ask(shape: Shape): Promise<Plan> {
  if (!worker) {
    worker = new Worker("layout.js", { type: "module" });
    worker.onmessage = (event: MessageEvent<{ id: number; plan: Plan }>) => {
      waiting.get(event.data.id)?.(event.data.plan);
      waiting.delete(event.data.id);
    };
  }
  const id = ++asked;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    worker?.postMessage({ id, shape });
  });
}

function cached(key: string): { of: string; plan: Plan } | null {
  try {
    const text = sessionStorage.getItem(kCachePrefix + key);
    return text ? (JSON.parse(text) as { of: string; plan: Plan }) : null;
  } catch {
    return null;
  }
}

function keep(key: string, of: string, plan: Plan): void {
  try {
    sessionStorage.setItem(kCachePrefix + key, JSON.stringify({ of, plan }));
  } catch {
    // No room, or no storage: it is laid out again next time.
  }
}

/** The plan of `shape` (whose text is `of`), or the last one until it is ready; `key` names its place in the cache. */
export function usePlan(key: string, of: string, shape: () => Shape): Plan | null {
  const [known, setKnown] = useState<{ of: string; plan: Plan } | null>(() => cached(key));
  useEffect(() => {
    if (known?.of === of) return;
    let wanted = true;
    void ask(shape()).then((plan) => {
      if (!wanted) return;
      setKnown({ of, plan });
      keep(key, of, plan);
    });
    return () => { wanted = false; };
  }, [of]);
  return known?.plan ?? null;
}

let brush: CanvasRenderingContext2D | null = null;
const widths = new Map<string, number>();

/** How wide a name is in the type of the boxes. */
export function nameWidth(name: string): number {
  const known = widths.get(name);
  if (known !== undefined) return known;
  brush ??= document.createElement("canvas").getContext("2d");
  if (!brush) return 8 * name.length;
  brush.font = `600 13px ${getComputedStyle(document.body).fontFamily}`;
  const width = Math.ceil(brush.measureText(name).width);
  widths.set(name, width);
  return width;
}
// Names measured before the page's own type has come are measured again with it.
void document.fonts?.ready.then(() => widths.clear());
