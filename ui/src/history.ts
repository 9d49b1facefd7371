// The last 15 minutes of the strip's figures: what the engine keeps, and what has come since.
import { signal } from "@preact/signals";
import type { HistoryAnswer, Num, Report } from "./report";

export const kSpanMs = 15 * 60 * 1000;
/** Samples further apart than this are not joined: nobody looked in between. */
export const kGapMs = 5000;

type Values = readonly (number | null)[];

/** Wall clock in milliseconds, and a list as long for each series. Never changed in place. */
export interface History {
  at: readonly number[];
  series: Readonly<Record<string, Values>>;
}

/** A young history is shown over this at least, so that its first seconds do not look like a trend. */
const kSpanMinMs = 60 * 1000;

/** What a picture of the history covers: all of it, up to 15 minutes. */
export function rangeOf(times: readonly number[], fallback = Date.now()): [number, number] {
  const newest = times.at(-1) ?? fallback;
  return [Math.max(newest - kSpanMs, Math.min(times[0] ?? newest, newest - kSpanMinMs)), newest];
}

export const kSeries = [
  "records_in_per_second", "records_out_per_second", "latency_us_p50", "latency_us_p99",
  "watermark_lag_ms", "memory_bytes", "busy_share", "queued", "dead_letters",
] as const;

export const history = signal<History>({ at: [], series: {} });

export const toFigure = (value: Num | null | undefined): number | null =>
  value === null || value === undefined || !Number.isFinite(Number(value)) ? null : Number(value);

/** The answer of the engine with wall clock times; empty when it has no sample. */
export function fromAnswer(answer: HistoryAnswer): History {
  const last = answer.uptime_ms.at(-1);
  if (!answer.at || last === undefined) return { at: [], series: {} };
  const base = Date.parse(answer.at) - last;
  const lists = Object.entries(answer).filter(([name, list]) => name !== "uptime_ms" && Array.isArray(list));
  return {
    at: answer.uptime_ms.map((up) => base + up),
    series: Object.fromEntries(lists.map(([name, list]) => [name, (list as (Num | null)[]).map(toFigure)])),
  };
}

/** What a report adds; latency is the recent one, for one over the whole run moves no more. */
function figuresOf(report: Report): Record<string, Num | null | undefined> {
  return {
    ...report as unknown as Record<string, Num>,
    latency_us_p50: report.recent_latency_us_p50 === undefined ? report.latency_us_p50 : report.recent_latency_us_p50,
    latency_us_p99: report.recent_latency_us_p99 === undefined ? report.latency_us_p99 : report.recent_latency_us_p99,
  };
}

/** The history with one more sample; what is older than 15 minutes goes. Names without values so far begin with nulls. */
export function appended(old: History, at: number, figures: Record<string, Num | null | undefined>, names: readonly string[]): History {
  const newest = old.at.at(-1);
  if (newest !== undefined && at <= newest) return old;
  let from = 0;
  while (from < old.at.length && (old.at[from] as number) < at - kSpanMs) from++;
  const blank = old.at.map(() => null);
  return {
    at: [...old.at.slice(from), at],
    series: Object.fromEntries(names.map((name) => [name, [...(old.series[name] ?? blank).slice(from), toFigure(figures[name])]])),
  };
}

export function remember(report: Report, at: number): void {
  history.value = appended(history.value, at, figuresOf(report), kSeries);
}

/** Takes the engine's own history; an engine that keeps none leaves what the page has seen. */
export async function fetchHistory(): Promise<void> {
  try {
    const answer = await fetch("/api/v1/history");
    if (answer.ok) take((await answer.json()) as HistoryAnswer);
  } catch {
    // The feed says that the connection is lost.
  }
}

/** What the engine keeps, behind what the page saw before that began: of an engine that was started again it saw more. */
export function joined(seen: History, kept: History): History {
  const first = kept.at[0];
  if (first === undefined) return seen;
  const oldest = (kept.at.at(-1) as number) - kSpanMs;
  const places = seen.at.flatMap((at, i) => (at >= oldest && at < first ? [i] : []));
  return {
    at: [...places.map((i) => seen.at[i] as number), ...kept.at],
    series: Object.fromEntries(Object.entries(kept.series).map(([name, list]) => [name, [...places.map((i) => seen.series[name]?.[i] ?? null), ...list]])),
  };
}

export function take(answer: HistoryAnswer): void {
  history.value = joined(history.value, fromAnswer(answer));
}
