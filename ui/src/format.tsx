// How numbers and times are shown; every short form carries its exact value in `title` and `data-value`.
import type { ComponentChildren } from "preact";
import type { Cell, Num } from "./report";

const kSteps: [number, string][] = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
const kMonths = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** A no-break narrow space between number and unit. */
export const kGap = "\u202f";

/** Three significant digits, trailing zeros kept: 1.20, 12.3, 123. */
function three(value: number): string {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

// Made once: a formatter costs a hundred times what it does.
const kWhole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const kTenths = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
const kExact = new Intl.NumberFormat("en-US", { maximumFractionDigits: 12 });

/** 9,999 exactly; above that 12.3 k, 4.56 M. */
export function short(value: Num): string {
  if (typeof value === "string") return value;
  const size = Math.abs(value);
  if (size < 10_000) {
    return (Number.isInteger(value) || size >= 100 ? kWhole : kTenths).format(value);
  }
  for (const [unit, name] of kSteps) {
    if (size >= unit * 0.9995) return (value < 0 ? "\u2212" : "") + three(size / unit) + kGap + name;
  }
  return String(value);
}

/** All digits, grouped: 1,234,567 or 0.125. */
export function full(value: Num): string {
  return typeof value === "string" ? value : kExact.format(value);
}

/** "1 task", "12 tasks" */
export const counted = (count: number, what: string) => `${full(count)} ${what}${count === 1 ? "" : "s"}`;

export function micros(value: Num): string {
  if (typeof value === "string") return value;
  if (value < 1000) return short(Math.round(value * 10) / 10) + kGap + "µs";
  if (value < 1e6) return three(value / 1e3) + kGap + "ms";
  return three(value / 1e6) + kGap + "s";
}

/** 850 ms, 5.2 s, 3 min 12 s, 4 h 05 min, 2 d 3 h */
export function span(milliseconds: Num): string {
  if (typeof milliseconds === "string") return milliseconds;
  const ms = Math.abs(milliseconds);
  const sign = milliseconds < 0 ? "\u2212" : "";
  if (ms < 1000) return `${sign}${Math.round(ms)}${kGap}ms`;
  if (ms < 10_000 && ms % 1000 !== 0) return `${sign}${(Math.floor(ms / 100) / 10).toFixed(1)}${kGap}s`;
  const seconds = Math.floor(ms / 1000);
  const [s, m, h, d] = [seconds % 60, Math.floor(seconds / 60) % 60, Math.floor(seconds / 3600) % 24, Math.floor(seconds / 86400)];
  if (d > 0) return `${sign}${d}${kGap}d ${h}${kGap}h`;
  if (h > 0) return `${sign}${h}${kGap}h ${String(m).padStart(2, "0")}${kGap}min`;
  if (m > 0) return `${sign}${m}${kGap}min ${String(s).padStart(2, "0")}${kGap}s`;
  return `${sign}${s}${kGap}s`;
}

export function bytes(value: Num): string {
  if (typeof value === "string") return value;
  if (value < 1000) return `${value}${kGap}B`;
  for (const [unit, name] of kSteps) {
    if (value >= unit * 0.9995) return `${three(value / unit)}${kGap}${name === "k" ? "kB" : name + "B"}`;
  }
  return String(value);
}

export function percent(share: Num): string {
  if (typeof share === "string") return share;
  const value = share * 100;
  return (value > 0 && value < 0.95 ? "<1" : String(Math.round(value))) + kGap + "%";
}

/** Time stamps are cut from their text, so that nothing is lost or moved to another zone: all times are UTC. */
export function clock(iso: string, seconds = true): string {
  const match = /T(\d\d:\d\d)(:\d\d)?/.exec(iso);
  return match ? match[1] + (seconds ? (match[2] ?? "") : "") : iso;
}

export function day(iso: string): string {
  const match = /^(-?\d+)-(\d\d)-(\d\d)/.exec(iso);
  return match ? `${Number(match[3])} ${kMonths[Number(match[2]) - 1]} ${match[1]}` : iso;
}

/** "12 Sep 2015, 06:00 – 12:00 UTC", with both days when they differ. */
export function period(start: string | null, end: string | null): string {
  if (!start || !end) return "";
  const seconds = !/T\d\d:\d\d:00(Z|$)/.test(start) || !/T\d\d:\d\d:00(Z|$)/.test(end);
  const last = day(start) === day(end) ? "" : day(end) + ", ";
  return `${day(start)}, ${clock(start, seconds)} \u2013 ${last}${clock(end, seconds)} UTC`;
}

export function cellText(cell: Cell): string {
  if (cell === null) return "\u2013";
  if (typeof cell === "boolean") return cell ? "yes" : "no";
  return typeof cell === "number" ? full(cell) : cell;
}

/** A cell to read: real numbers to six digits, whole ones and texts whole. The exact one belongs into a title beside it. */
export function cellShort(cell: Cell): string {
  return typeof cell === "number" && !Number.isInteger(cell) ? full(Number(cell.toPrecision(6))) : cellText(cell);
}

/** A number shown short, with the exact one at hand. */
export function Value(props: {
  id?: string; exact: Num | null; title?: string; class?: string; children: ComponentChildren;
}) {
  const exact = props.exact === null ? "" : String(props.exact);
  const title = props.title ?? (props.exact === null ? "none yet" : full(props.exact));
  return (
    <span data-testid={props.id} data-value={exact} title={title} class={props.class}>
      {props.children}
    </span>
  );
}
