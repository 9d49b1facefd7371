// The report as the server sends it; see src/service/report_json.hpp.

/** An integer beyond 2^53 and a non-finite number arrive as text. */
export type Num = number | string;
export type Cell = null | boolean | number | string;

export interface Column {
  name: string;
  type: "bool" | "int" | "double" | "string" | "timestamp";
}

export interface View {
  name: string;
  kind: "top" | "table" | "alerts" | string;
  columns: Column[];
  rows: Cell[][];
  records: Num;
  window_start: string | null;
  window_end: string | null;
}

export interface Component {
  name: string;
  kind: string;
  tasks: number;
  received: Num;
  processed: Num;
  filtered: Num;
  late: Num;
  dead_lettered: Num;
  in_flight: Num;
  emitted: Num;
  busy_share: Num;
  watermark: string | null;
}

export interface Edge {
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

export interface Report {
  topology: string;
  version: string;
  state: "running" | "draining" | "finished" | "failed" | string;
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
  parallelism: number;
  speed: Num;
  components: Component[];
  edges: Edge[];
  views: View[];
  recent_dead_letters: DeadLetter[];
  oracle: { rows: Num; wrong: Num } | null;
}
