// The figures of the strip: what each is called, how it is written, what it means and what to do about it.
import { bytes, micros, short, span } from "./format";
import { toFigure } from "./history";
import type { Num, Report } from "./report";

export interface Metric {
  id: string;
  label: string;
  /** What it is, and what to do when it is not as it should be. */
  help: string;
  series: { key: string; name: string }[];
  text: (value: number) => string;
}

const perSecond = (value: number) => `${short(value)}\u202f/s`;

export const kMetrics: Metric[] = [
  {
    id: "in", label: "Records in", text: perSecond,
    help: "Records that left the sources, a second. If it falls while the input still has data, something downstream is slow: the graph marks what is busy and who waits for it.",
    series: [{ key: "records_in_per_second", name: "in" }],
  },
  {
    id: "out", label: "Records out", text: perSecond,
    help: "Records that views and sinks took, a second. Windows put out when the watermark passes their end, so steps are normal; none at all for long is told under what is wrong.",
    series: [{ key: "records_out_per_second", name: "out" }],
  },
  {
    id: "latency", label: "Latency", text: micros,
    help: "From the moment a batch's oldest record was due to the return of the sink, in the last second. When p99 is far above p50, look for a component with a full queue, and give it more tasks or a cheaper step.",
    series: [{ key: "latency_us_p50", name: "p50" }, { key: "latency_us_p99", name: "p99" }],
  },
  {
    id: "watermark", label: "Watermark", text: (value) => span(Math.round(value)),
    help: "Event time up to which all records are believed to be there, in UTC, and how far it is behind the newest event. A growing lag means that one partition holds time back: a component's details name it.",
    series: [{ key: "watermark_lag_ms", name: "lag" }],
  },
  {
    id: "load", label: "Load", text: (value) => `${value.toFixed(2)}`,
    help: "How many executors' worth of work the tasks do. Near the number of executors, the machine is the limit: --executors gives it more threads, --parallelism spreads a component over them.",
    series: [{ key: "busy_share", name: "busy executors" }],
  },
  {
    id: "memory", label: "Memory", text: (value) => bytes(Math.round(value)),
    help: "Resident memory of the process. If it grows without end, a window or a key never closes: fewer keys, shorter windows, or --memory to bound it.",
    series: [{ key: "memory_bytes", name: "resident" }],
  },
  {
    id: "dead", label: "Dead letters", text: (value) => short(Math.round(value)),
    help: "Records given up, with the reason of each in the list below. Repair the input or the function that refuses them; nothing is dropped without being counted here.",
    series: [{ key: "dead_letters", name: "in all" }],
  },
];

/** Latency of the last second where the engine tells it, else of the whole run. */
export const latencyOf = (report: Report, which: "p50" | "p99"): Num | null => {
  const recent = report[`recent_latency_us_${which}`];
  return recent === undefined ? report[`latency_us_${which}`] : recent;
};

/** Executors' worth of work: told by the engine, or summed over the components. */
export const loadOf = (report: Report): number =>
  toFigure(report.busy_share) ?? report.components.reduce((sum, one) => sum + (toFigure(one.busy_share) ?? 0), 0);

