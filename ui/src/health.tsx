// The health strip: the state of the topology in a row of figures, each with its last 15 minutes.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Chart, moveCursor, nearest, Sparkline } from "./chart";
import { bytes, clock, day, full, micros, short, span, Value } from "./format";
import { history, kGapMs, rangeOf } from "./history";
import { kMetrics, latencyOf, loadOf, type Metric } from "./metrics";
import type { Num, Report } from "./report";
import { SeriesTable } from "./seriestable";

/** The moment that pointer or keys have chosen, for all figures at once; null: now. */
const cursor = signal<number | null>(null);
/** The figure whose chart is open. */
export const opened = signal<string | null>(null);

export const timeText = (at: number) => new Date(at).toLocaleTimeString("en-GB");

function Rate(props: { id: string; rate: Num }) {
  return (
    <Value id={props.id} exact={props.rate} title={`${full(props.rate)} records a second`}>
      {short(props.rate)}<small>{"\u202f/s"}</small>
    </Value>
  );
}

const Total = (props: { id: string; count: Num }) => <Value id={props.id} exact={props.count}>{full(props.count)} in all</Value>;

function Latency(props: { report: Report }) {
  const figure = (id: "p50" | "p99") => {
    const value = latencyOf(props.report, id);
    return (
      <span class="pair">
        <Value id={`latency-${id}`} exact={value} title={value === null ? "nothing reached a sink in the last second" : `${id}: ${full(value)} µs`}>
          {value === null ? "\u2013" : micros(value)}
        </Value>
        <small>{id}</small>
      </span>
    );
  };
  return <>{figure("p50")} {figure("p99")}</>;
}

function Watermark(props: { report: Report }) {
  const { watermark } = props.report;
  const shown = watermark === null ? "\u2013" : watermark === "end" ? "end" : clock(watermark);
  return <span data-testid="watermark" data-value={watermark ?? ""} title={watermark ?? "none yet"}>{shown}</span>;
}

function Lag(props: { report: Report }) {
  const { watermark, watermark_lag_ms: lag } = props.report;
  return (
    <>
      {watermark && watermark !== "end" ? `${day(watermark)}, ` : ""}
      <Value id="watermark-lag" exact={lag} title={lag === null ? "none yet" : `${full(lag)} ms behind the newest event`}>
        lag {lag === null ? "\u2013" : span(lag)}
      </Value>
    </>
  );
}

function figureOf(id: string, report: Report): ComponentChildren {
  switch (id) {
    case "in": return <Rate id="records-in-rate" rate={report.records_in_per_second} />;
    case "out": return <Rate id="records-out-rate" rate={report.records_out_per_second} />;
    case "latency": return <Latency report={report} />;
    case "watermark": return <Watermark report={report} />;
    case "load": return <Value id="load" exact={loadOf(report)}>{loadOf(report).toFixed(2)}</Value>;
    case "memory": return <Value id="memory" exact={report.memory_bytes} title={`${full(report.memory_bytes)} bytes`}>{bytes(report.memory_bytes)}</Value>;
    default: return <Value id="dead-letters" exact={report.dead_letters}>{short(report.dead_letters)}</Value>;
  }
}

function noteOf(id: string, report: Report): ComponentChildren {
  switch (id) {
    case "in": return <Total id="records-in" count={report.records_in} />;
    case "out": return <Total id="records-out" count={report.records_out} />;
    case "latency": return "due \u2192 sink";
    case "watermark": return <Lag report={report} />;
    case "load": return `of ${report.executors} ${report.executors === 1 ? "executor" : "executors"}`;
    case "memory": return report.memory_budget_bytes ? `of ${bytes(report.memory_budget_bytes)}` : "resident";
    default: return "records given up";
  }
}

/** What a tile said at the chosen moment. */
function PastFigure(props: { metric: Metric; at: number }) {
  const { at: times, series } = history.value;
  const i = nearest(times, props.at);
  return (
    <>
      {props.metric.series.map(({ key, name }) => {
        const value = series[key]?.[i] ?? null;
        return <span class="pair">{value === null ? "\u2013" : props.metric.text(value)}{props.metric.series.length > 1 && <small>{name}</small>}</span>;
      })}
    </>
  );
}

function Tile(props: { metric: Metric; report: Report }) {
  const { metric, report } = props;
  const { at: times, series } = history.value;
  const chosen = cursor.value;
  const range = rangeOf(times);
  const main = metric.series.at(-1)?.key ?? "";
  const isOpen = opened.value === metric.id;
  const follow = (event: PointerEvent) => {
    if (event.pointerType === "touch" || times.length < 2) return;
    const box = (event.currentTarget as Element).getBoundingClientRect();
    cursor.value = times[nearest(times, range[0] + (range[1] - range[0]) * ((event.clientX - box.left) / box.width))] ?? null;
  };
  return (
    <div class={`tile${isOpen ? " open" : ""}${metric.id === "dead" && report.dead_letters !== 0 ? " alarm" : ""}`} data-metric={metric.id}>
      <dt title={metric.help}>{metric.label}{metric.id === "watermark" && <small> UTC</small>}</dt>
      <dd>
        <div class={`figure${chosen === null ? "" : " past"}`}>
          {chosen === null ? figureOf(metric.id, report) : <PastFigure metric={metric} at={chosen} />}
        </div>
        <div class="note">{chosen === null ? noteOf(metric.id, report) : `at ${timeText(chosen)}${metric.id === "watermark" ? ", lag" : ""}`}</div>
        <button
          type="button" class="trend" aria-expanded={isOpen} aria-controls="history"
          aria-label={`${metric.label}: last 15 minutes`} title={`${metric.label}: open the last 15 minutes`}
          onClick={() => (opened.value = isOpen ? null : metric.id)}
          onPointerMove={follow} onPointerLeave={() => (cursor.value = null)} onBlur={() => (cursor.value = null)}
          onKeyDown={(event) => moveCursor(event, times, cursor)}
        >
          <Sparkline xs={times} values={series[main] ?? []} range={range} cursor={chosen} gap={kGapMs} />
        </button>
      </dd>
    </div>
  );
}

/** The chart of one figure, with its meaning in words and its numbers as a table. */
function HistoryPanel() {
  const metric = kMetrics.find((one) => one.id === opened.value);
  const { at: times, series } = history.value;
  const [asTable, setAsTable] = useState(false);
  if (!metric) return null;
  const range = rangeOf(times);
  const lines = metric.series.map(({ key, name }) => ({ name, values: series[key] ?? [] }));
  return (
    <section class="card history" id="history" aria-labelledby="history-title" data-testid="history">
      <header>
        <h2 id="history-title">{metric.label}<small>last {span(Math.ceil((range[1] - Math.max(range[0], times[0] ?? range[1])) / 1000) * 1000)}</small></h2>
        <div class="tools">
          <button type="button" class="tool" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>Table</button>
          <button type="button" class="tool" onClick={() => (opened.value = null)} aria-label="Close the chart">Close</button>
        </div>
      </header>
      {times.length === 0 ? <p class="empty">No samples yet: the first comes within a second.</p>
        : asTable ? <SeriesTable caption={metric.label} head="time" xs={times} lines={lines} xText={timeText} yText={metric.text} />
          : <Chart label={`${metric.label}, last 15 minutes`} xs={times} lines={lines} cursor={cursor} xText={timeText} yText={metric.text} time gap={kGapMs} range={range} height={200} />}
      <p class="help">{metric.help}</p>
    </section>
  );
}

export function Health(props: { report: Report }) {
  return (
    <>
      <section aria-label="Health" data-testid="health">
        <dl class="strip" data-samples={history.value.at.length}>
          {kMetrics.map((metric) => <Tile key={metric.id} metric={metric} report={props.report} />)}
        </dl>
      </section>
      <HistoryPanel />
    </>
  );
}
