// The health strip: the state of the topology in a row of figures.
import type { ComponentChildren } from "preact";
import { bytes, clock, day, full, micros, short, span, Value } from "./format";
import type { Num, Report } from "./report";

function Tile(props: { label: string; wide?: boolean; widest?: boolean; alarm?: boolean | undefined; children: ComponentChildren; note?: ComponentChildren }) {
  return (
    <div class={`tile${props.widest ? " widest" : props.wide ? " wide" : ""}${props.alarm ? " alarm" : ""}`}>
      <dt>{props.label}</dt>
      <dd>
        <div class="figure">{props.children}</div>
        {props.note && <div class="note">{props.note}</div>}
      </dd>
    </div>
  );
}

function Rate(props: { id: string; rate: Num }) {
  return (
    <Value id={props.id} exact={props.rate} title={`${full(props.rate)} records a second`}>
      {short(props.rate)}
      <small>{"\u202f/s"}</small>
    </Value>
  );
}

function Total(props: { id: string; count: Num }) {
  return (
    <Value id={props.id} exact={props.count}>
      {full(props.count)} in all
    </Value>
  );
}

function Latency(props: { report: Report }) {
  const { latency_us_p50: p50, latency_us_p99: p99 } = props.report;
  const figure = (id: string, name: string, value: Num | null) => (
    <span class="pair">
      <small>{name}</small>{" "}
      <Value id={id} exact={value} title={value === null ? "none yet" : `${full(value)} µs`}>
        {value === null ? "\u2013" : micros(value)}
      </Value>
    </span>
  );
  return (
    <Tile widest label={"Batch latency, due \u2192 sink"} note="from a batch's oldest record">
      {figure("latency-p50", "p50", p50)} {figure("latency-p99", "p99", p99)}
    </Tile>
  );
}

function Watermark(props: { report: Report }) {
  const { watermark, watermark_lag_ms: lag } = props.report;
  const shown = watermark === null ? "\u2013" : watermark === "end" ? "end" : clock(watermark);
  const lagText = (
    <Value id="watermark-lag" exact={lag} title={lag === null ? "none yet" : `${full(lag)} ms behind the newest event`}>
      lag {lag === null ? "\u2013" : span(lag)}
    </Value>
  );
  return (
    <Tile wide label="Watermark, UTC" note={<>{watermark && watermark !== "end" ? `${day(watermark)}, ` : ""}{lagText}</>}>
      <span data-testid="watermark" data-value={watermark ?? ""} title={watermark ?? "none yet"}>{shown}</span>
    </Tile>
  );
}

export function Health(props: { report: Report }) {
  const { report } = props;
  const oracle = report.oracle;
  return (
    <section aria-label="Health" data-testid="health">
      <dl class="strip">
        <Tile
          label="State"
          alarm={report.state === "failed"}
          note={<>up <Value id="uptime" exact={report.uptime_ms} title={`${full(report.uptime_ms)} ms`}>{span(report.uptime_ms)}</Value></>}
        >
          <span class="state" data-state={report.state} data-testid="state" data-value={report.state}>{report.state}</span>
        </Tile>
        <Tile label="Records in" note={<Total id="records-in" count={report.records_in} />}>
          <Rate id="records-in-rate" rate={report.records_in_per_second} />
        </Tile>
        <Tile label="Records out" note={<Total id="records-out" count={report.records_out} />}>
          <Rate id="records-out-rate" rate={report.records_out_per_second} />
        </Tile>
        <Latency report={report} />
        <Watermark report={report} />
        <Tile label="Memory" note="resident">
          <Value id="memory" exact={report.memory_bytes} title={`${full(report.memory_bytes)} bytes`}>{bytes(report.memory_bytes)}</Value>
        </Tile>
        <Tile label="Dead letters" alarm={report.dead_letters !== 0} note="records given up">
          <Value id="dead-letters" exact={report.dead_letters}>{short(report.dead_letters)}</Value>
        </Tile>
        {oracle && (
          <Tile
            label="Oracle"
            alarm={oracle.wrong !== 0}
            note={<>of <Value id="oracle-rows" exact={oracle.rows}>{full(oracle.rows)}</Value> rows</>}
          >
            <Value id="oracle-wrong" exact={oracle.wrong}>{full(oracle.wrong)} wrong</Value>
          </Tile>
        )}
      </dl>
    </section>
  );
}
