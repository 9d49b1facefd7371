// Lines over time or numbers in SVG: drawn from at most two points a pixel, read by pointer and keyboard.
import type { Signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

export interface Line {
  name: string;
  values: readonly (number | null)[];
}

/** Room for the figures of the axes, in pixels; at the left as the longest of them needs. */
const kLeftMin = 40;
const kDigit = 6.6;
const kBottom = 22;
const kTop = 8;
const kRight = 10;

/** The width of an element, followed while it lives. */
export function useWidth<E extends HTMLElement>(first = 0) {
  const ref = useRef<E>(null);
  const [width, setWidth] = useState(first);
  useLayoutEffect(() => setWidth(ref.current?.clientWidth ?? first), []);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.round(entry.contentRect.width)));
    if (ref.current) observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}

/** Least and largest of the numbers; null where there are none. */
export function extent(lists: readonly (readonly (number | null)[])[]): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const list of lists) {
    for (const value of list) {
      if (value === null || !Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : null;
}

/** Round steps of 1, 2 or 5 times a power of ten: at most `most` + 1 ticks that span the range. */
export function ticks(low: number, high: number, most: number): number[] {
  const raw = (high - low || Math.abs(high) || 1) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.999) ?? raw;
  const found: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(Number((i * step).toPrecision(12)));
  return found;
}

/** Round times: steps of seconds, minutes, hours or days. */
function timeTicks(low: number, high: number, most: number): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800, 2592000, 31536000];
  const raw = (high - low) / 1000 / Math.max(1, most);
  const step = (steps.find((size) => size >= raw) ?? 31536000 * Math.ceil(raw / 31536000)) * 1000;
  const found: number[] = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) found.push(at);
  return found;
}

/**
 * The path of a line: least and largest value of each pixel, in the order they came, so that no peak is lost however
 * many points there are. `gap`: points further apart than this in x are not joined.
 */
export function trace(xs: readonly number[], values: readonly (number | null)[], toX: (x: number) => number,
                      toY: (y: number) => number, gap = Infinity): string {
  const out: string[] = [];
  let pen = false;
  let lastX = NaN;
  let column = NaN;
  let low = 0, high = 0, lowFirst = true, count = 0;
  const flush = () => {
    if (count === 0) return;
    const put = (value: number) => {
      out.push(`${pen ? "L" : "M"}${column} ${toY(value).toFixed(1)}`);
      pen = true;
    };
    if (low === high) put(low);
    else if (lowFirst) { put(low); put(high); }
    else { put(high); put(low); }
    count = 0;
  };
  for (let i = 0; i < values.length; i++) {
    const x = xs[i] as number;
    const value = values[i] as number | null;
    if (value === null || !Number.isFinite(value)) { flush(); pen = false; continue; }
    if (x - lastX > gap) { flush(); pen = false; }
    lastX = x;
    const at = Math.round(toX(x) * 2) / 2;
    if (at !== column) { flush(); column = at; }
    if (count === 0) { low = high = value; lowFirst = true; }
    else if (value < low) { low = value; lowFirst = false; }
    else if (value > high) { high = value; lowFirst = true; }
    count++;
  }
  flush();
  // A point alone is a dot.
  return out.length === 1 ? `${out[0]}h0.01` : out.join("");
}

/** The index of the point nearest to x; xs never falls. */
export function nearest(xs: readonly number[], x: number): number {
  let from = 0;
  let to = xs.length - 1;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((xs[middle] as number) < x) from = middle + 1; else to = middle;
  }
  return from > 0 && x - (xs[from - 1] as number) < (xs[from] as number) - x ? from - 1 : from;
}

export interface ChartProps {
  label: string;
  xs: readonly number[];
  lines: readonly Line[];
  /** The x under the pointer or chosen by key; shared by charts of the same axis. */
  cursor: Signal<number | null>;
  xText: (x: number) => string;
  yText: (y: number) => string;
  /** The same for the axis, where there is less room. */
  yTick?: (y: number) => string;
  /** Whether x is a time in milliseconds, for round ticks. */
  time: boolean;
  height?: number;
  /** Points further apart than this are not joined. */
  gap?: number;
  /** The range of x to show; else that of the points. */
  range?: [number, number];
  /** Without: the axis begins near the least value, where that is far from 0 for what the values move. */
  zero?: boolean;
}

/** Values that move by less than this share of their size are shown without the way down to 0. */
const kFlat = 0.4;

function floorOf(low: number, high: number, zero: boolean): number {
  if (low <= 0) return low;
  return zero || high === low || high - low >= kFlat * high ? 0 : low - (high - low) * 0.1;
}

/** Moves the cursor of a chart by key; true when the key was for it. */
export function moveCursor(event: KeyboardEvent, xs: readonly number[], cursor: Signal<number | null>): boolean {
  const step = event.shiftKey ? 10 : 1;
  const at = cursor.value === null ? xs.length - 1 : nearest(xs, cursor.value);
  const moves: Record<string, number> = {
    ArrowLeft: Math.max(0, at - step), ArrowRight: Math.min(xs.length - 1, at + step), Home: 0, End: xs.length - 1,
    PageUp: Math.max(0, at - Math.ceil(xs.length / 10)), PageDown: Math.min(xs.length - 1, at + Math.ceil(xs.length / 10)),
  };
  const to = moves[event.key];
  if (event.key === "Escape" && cursor.value !== null) cursor.value = null;
  else if (to !== undefined && xs.length > 0) cursor.value = xs[to] as number;
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}

function Axes(props: { xTicks: [number, string][]; yTicks: [number, string][]; left: number; width: number; height: number }) {
  const { left, width, height } = props;
  return (
    <g class="axes" aria-hidden="true">
      {props.yTicks.map(([y, text]) => (
        <g key={text}>
          <line x1={left} x2={width - kRight} y1={y} y2={y} />
          <text x={left - 8} y={y + 3.5} text-anchor="end">{text}</text>
        </g>
      ))}
      {props.xTicks.map(([x, text]) => <text key={text} x={x} y={height - 5} text-anchor="middle">{text}</text>)}
    </g>
  );
}

/** What the lines say at the cursor, or now. */
function ReadOut(props: ChartProps & { at: number; fixed: boolean }) {
  const { xs, lines, at } = props;
  return (
    <p class="readout" data-testid="readout">
      <b>{at >= 0 ? props.xText(xs[at] as number) : "\u2013"}</b>
      {lines.map((line, i) => {
        const value = at >= 0 ? line.values[at] ?? null : null;
        return <span key={line.name}><i class={`key tone-${i % 6}`} aria-hidden="true" />{line.name} <b>{value === null ? "\u2013" : props.yText(value)}</b></span>;
      })}
    </p>
  );
}

/** Scales and paths: made anew only when points or width change. */
function useDrawing(props: ChartProps, width: number, height: number) {
  const { xs, lines } = props;
  return useMemo(() => {
    const [x0, x1] = props.range ?? [xs[0] ?? 0, xs.at(-1) ?? 1];
    const [low, high] = extent(lines.map((line) => line.values)) ?? [0, 1];
    const bottom = floorOf(low, high, props.zero ?? true);
    const yTicks = ticks(bottom, high === low && high === 0 ? 1 : Math.max(0, high), 4);
    // One tick above the highest point, so that it is read between two lines.
    const [last, step] = [yTicks.at(-1) ?? 1, (yTicks[1] ?? 1) - (yTicks[0] ?? 0)];
    if (last < high && yTicks.length > 1) yTicks.push(Number((last + step).toPrecision(12)));
    const top = Math.max(high, yTicks.at(-1) ?? 1) || 1;
    const yMarks = yTicks.map((y) => [y, (props.yTick ?? props.yText)(y)] as [number, string]);
    const left = Math.max(kLeftMin, 14 + kDigit * Math.max(0, ...yMarks.map(([, text]) => text.length)));
    const inner = Math.max(1, width - left - kRight);
    const toX = (x: number) => left + (inner * (x - x0)) / (x1 - x0 || 1);
    const toY = (y: number) => kTop + (height - kTop - kBottom) * (1 - (y - bottom) / (top - bottom || 1));
    const xMarks = (props.time ? timeTicks : ticks)(x0, x1, Math.max(2, Math.floor(inner / 110)));
    return {
      left, toX, toY, fromX: (px: number) => x0 + ((px - left) / inner) * (x1 - x0),
      paths: lines.map((line) => trace(xs, line.values, toX, toY, props.gap)),
      xTicks: xMarks.map((x) => [toX(x), props.xText(x)] as [number, string]).filter(([x]) => x > left + 12 && x < width - 24),
      yTicks: yMarks.map(([y, text]) => [toY(y), text] as [number, string]),
    };
  }, [xs, lines, width, height, props.zero, props.range?.[0], props.range?.[1]]);
}

export function Chart(props: ChartProps) {
  const { xs, lines, cursor, height = 180 } = props;
  const { ref, width } = useWidth<HTMLDivElement>(600);
  const drawing = useDrawing(props, width, height);
  const chosen = cursor.value;
  const at = xs.length === 0 ? -1 : chosen === null ? xs.length - 1 : nearest(xs, chosen);
  const said = at < 0 ? "no points yet" : `${props.xText(xs[at] as number)}: ` +
    lines.map((line) => `${line.name} ${line.values[at] == null ? "none" : props.yText(line.values[at] as number)}`).join(", ");
  const x = at >= 0 ? drawing.toX(xs[at] as number) : 0;
  const follow = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    if (xs.length > 0) cursor.value = xs[nearest(xs, drawing.fromX(event.clientX - box.left))] as number;
  };
  return (
    <div class="chart" data-testid="chart" data-points={xs.length}>
      <ReadOut {...props} at={at} fixed={chosen !== null} />
      <div
        class="plot" ref={ref} tabIndex={0} role="slider" aria-label={`${props.label}; arrow keys read it`}
        aria-valuemin={0} aria-valuemax={Math.max(0, xs.length - 1)} aria-valuenow={Math.max(0, at)} aria-valuetext={said}
        onPointerMove={follow} onPointerLeave={() => (cursor.value = null)} onBlur={() => (cursor.value = null)}
        onKeyDown={(event) => moveCursor(event, xs, cursor)}
      >
        <svg width={width} height={height} aria-hidden="true">
          <Axes xTicks={drawing.xTicks} yTicks={drawing.yTicks} left={drawing.left} width={width} height={height} />
          {drawing.paths.map((d, i) => <path key={lines[i]?.name} class={`curve tone-${i % 6}`} d={d} />)}
          {chosen !== null && at >= 0 && (
            <g class="cursor">
              <line x1={x} x2={x} y1={kTop} y2={height - kBottom} />
              {lines.map((line, i) => line.values[at] != null && <circle key={line.name} class={`tone-${i % 6}`} cx={x} cy={drawing.toY(line.values[at] as number)} r={3.5} />)}
            </g>
          )}
        </svg>
      </div>
    </div>
  );
}

/** A line without axes, for a glance: as wide as its place. */
export function Sparkline(props: { xs: readonly number[]; values: readonly (number | null)[]; range: [number, number];
                                   cursor: number | null; gap?: number; height?: number }) {
  const { xs, values, height = 28 } = props;
  const { ref, width } = useWidth<HTMLDivElement>(120);
  const [x0, x1] = props.range;
  const { d, area, toX, toY } = useMemo(() => {
    const [low, high] = extent([values]) ?? [0, 1];
    const bottom = Math.min(0, low);
    const scale = high - bottom || 1;
    const across = (x: number) => ((x - x0) / (x1 - x0 || 1)) * width;
    const up = (y: number) => 2 + (height - 3) * (1 - (y - bottom) / scale);
    const line = trace(xs, values, across, up, props.gap);
    return { d: line, toX: across, toY: up, area: areaOf(line, height) };
  }, [xs, values, width, height, x0, x1]);
  const at = props.cursor === null || xs.length === 0 ? -1 : nearest(xs, props.cursor);
  const value = at >= 0 ? values[at] ?? null : null;
  return (
    <div class="spark" ref={ref} aria-hidden="true">
      <svg width={width} height={height}>
        <path class="under" d={area} />
        <path class="over" d={d} />
        {value !== null && <circle cx={toX(xs[at] as number)} cy={toY(value)} r={3} />}
      </svg>
    </div>
  );
}

/** Each joined piece of a line, closed along the bottom. */
function areaOf(line: string, height: number): string {
  return line.split("M").filter(Boolean).map((piece) => {
    const points = piece.split("L");
    const first = points[0]?.split(/[ h]/)[0] ?? "0";
    const last = points.at(-1)?.split(/[ h]/)[0] ?? "0";
    return points.length < 2 ? "" : `M${first} ${height}L${points.join("L")}L${last} ${height}Z`;
  }).join("");
}
