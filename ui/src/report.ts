// The report as the server sends it; see src/service/report_json.hpp.

/** An integer beyond 2^53 and a non-finite number arrive as text. */
export type Num = number | string;
export type Cell = null | boolean | number | string;

export interface Column {
  name: string;
  type: "bool" | "int" | "double" | "string" | "timestamp";
}

export interface ViewLine {
  name: string;
  /** Ascending x: milliseconds since 1970 where the column is a time. */
  points: [number, Num | null][];
}

/** What a newer engine tells; each may be absent. */
export interface ViewMore {
  x?: string;
  y?: string[];
  series?: string;
  measure?: string;
  unit?: string;
  why_empty?: string | null;
  lines?: ViewLine[];
  /** Of a map: outlines, latitude and longitude of each corner. */
  areas?: [number, number][][];
}

export interface View extends ViewMore {
  name: string;
  kind: "top" | "table" | "alerts" | "line" | "number" | "grid" | "map" | string;
  columns: Column[];
  rows: Cell[][];
  records: Num;
  window_start: string | null;
  window_end: string | null;
}

export interface ErrorGroup {
  reason: string;
  where: string;
  record: string;
  count: Num;
  at: string;
}

export interface ComponentMore {
  chain?: number;
  received_per_second?: Num;
  emitted_per_second?: Num;
  blocked_share?: Num;
  step_us_p50?: Num | null;
  step_us_p99?: Num | null;
  step_us_max?: Num | null;
  latency_us_p50?: Num | null;
  latency_us_p99?: Num | null;
  queued?: Num;
  queue_fill?: Num;
  lag_ms?: Num | null;
  skew?: { share: number; even: number; task: number } | null;
  hot_key?: { text: string; share: number; samples: number } | null;
  closes_at?: string | null;
  partitions?: { name: string; watermark: string | null; ended: boolean; idle?: boolean }[];
  errors?: ErrorGroup[];
  /** Records whose messages are played again. */
  failed?: Num;
  /** Of a source, where messages are tracked. */
  acks?: Acks;
  /** In memory. */
  state_bytes?: Num;
  metrics?: Figure[];
}

/** What a component counts beside its records: its own code's, or the engine's of what it keeps. */
export interface Figure {
  name: string;
  kind: "counter" | "gauge" | "histogram" | "timer" | string;
  /** Of a histogram or timer the sum; timers in microseconds. */
  value: Num;
  /** Of histograms and timers. */
  count?: Num;
  p50?: Num | null;
  p99?: Num | null;
  max?: Num | null;
}

/** Messages that were read at once and are not done. */
export interface OpenTree {
  first: string;
  messages: number;
  age_ms: number;
  /** Shares of what is left: on its way, and in state. */
  moving: number;
  held: number;
  component: string;
}

/** tried = acked + failed + given_up + pending + in_hand + held + abandoned. */
export interface Acks {
  tried: Num;
  acked: Num;
  failed: Num;
  timed_out: Num;
  replayed: Num;
  given_up: Num;
  pending: Num;
  in_hand: Num;
  held: Num;
  abandoned: Num;
  latency_us_p50: Num | null;
  latency_us_p99: Num | null;
  slowest: OpenTree[];
}

export interface Component extends ComponentMore {
  name: string;
  kind: string;
  tasks: number;
  received: Num;
  processed: Num;
  filtered: Num;
  late: Num;
  dead_lettered: Num;
  rows_refused?: Num;
  in_flight: Num;
  emitted: Num;
  busy_share: Num;
  watermark: string | null;
}

export interface Edge {
  queued_batches?: Num;
  /** 0 to 1, of its fullest ring. */
  fill?: Num;
  /** 0: fused, no queue. */
  rings?: number;
  from: string;
  to: string;
  grouping: string;
  sent: Num;
  received: Num;
  queued: Num;
  records_per_second: Num;
}

export interface DeadLetter {
  component: string;
  reason: string;
  where: string;
  record: string;
  at: string;
}

export interface Insight {
  severity: "error" | "warning" | "info";
  kind: string;
  component: string;
  text: string;
  advice: string;
}

/** Components fused into one task. */
export interface Chain {
  id: number;
  components: string[];
  tasks: number;
  busy_share: Num;
  blocked_share: Num;
}

export interface Task {
  id: number;
  chain: number;
  index: number;
  /** The thread it is on; -1: none. */
  executor: number;
  state: "restoring" | "running" | "idle" | "blocked" | "done" | string;
  received: Num;
  emitted: Num;
  received_per_second: Num;
  busy_share: Num;
  blocked_share: Num;
  queued: Num;
  queued_batches: Num;
  queue_fill: Num;
  running: string;
  running_us: Num;
}

/** The figures of the strip over time; oldest first, x is `uptime_ms`. */
export interface HistoryAnswer {
  at: string | null;
  uptime_ms: number[];
  [series: string]: unknown;
}

/** An epoch, as the checkpoint that it makes. A phase that was not reached is 0. */
export interface Checkpoint {
  id: Num;
  state: "running" | "complete" | "failed" | string;
  at: string;
  align_us: Num;
  /** A part of align_us. */
  image_us: Num;
  write_us: Num;
  commit_us: Num;
  bytes: Num;
  /** The epoch that it holds the changes of; 0: it is whole. */
  base?: Num;
  /** Epochs of changes behind a whole one, with it. */
  chain?: number;
  why: string;
}

export interface Checkpoints {
  interval_ms: number;
  completed: Num;
  failed: Num;
  /** Of the newest that this run completed. */
  age_ms: number | null;
  restored_from: Num | null;
  /** Newest first, and the one under way. */
  recent: Checkpoint[];
}

/** What the program's own check says of the rows that it compared. */
export interface Oracle {
  rows: Num;
  wrong: Num;
  /** The process is killed again and again; lost and doubled are then not among the wrong ones. */
  kills?: Num;
  lost?: Num;
  doubled?: Num;
}

/** How far a run has read the checkpoint that it goes on from. */
export interface Restore {
  bytes: Num;
  bytes_all: Num;
  left_ms: number;
}

export interface ReportMore {
  /** Only of a run that is restoring. */
  restore?: Restore | null;
  /** null: the run keeps no state. */
  checkpoints?: Checkpoints | null;
  at?: string;
  active?: boolean | null;
  recent_latency_us_p50?: Num | null;
  recent_latency_us_p99?: Num | null;
  memory_budget_bytes?: Num;
  queued?: Num;
  busy_share?: Num;
  tasks_total?: number;
  insights?: Insight[];
  chains?: Chain[];
  tasks?: Task[];
}

export interface Report extends ReportMore {
  topology: string;
  version: string;
  state: "running" | "draining" | "restarting" | "finished" | "stopped" | "failed" | string;
  error: string;
  uptime_ms: number;
  records_in: Num;
  records_out: Num;
  records_in_per_second: Num;
  records_out_per_second: Num;
  latency_us_p50: Num | null;
  latency_us_p99: Num | null;
  watermark: string | null;
  watermark_lag_ms: Num | null;
  memory_bytes: Num;
  dead_letters: Num;
  executors: number;
  /** Their number follows the load; the rest is so far. */
  executors_auto?: boolean;
  executors_most?: number;
  executors_added?: number;
  executors_removed?: number;
  cpu_ms?: number;
  parallelism: number;
  speed: Num;
  components: Component[];
  edges: Edge[];
  views: View[];
  recent_dead_letters: DeadLetter[];
  oracle: Oracle | null;
}
