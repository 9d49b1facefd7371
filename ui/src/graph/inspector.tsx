// The details of one component: its course, its counts, its tasks, its time and its errors.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { Chart } from "../chart";
import { Fact } from "../fact";
import { bytes, clock, counted, day, full, micros, percent, short, span } from "../format";
import { appended, fromAnswer, kGapMs, rangeOf, toFigure, type History } from "../history";
import type { Component, HistoryAnswer, Insight, Num, Report, Task } from "../report";
import { selected } from "../selection";
import { Meter } from "./box";
import { ErrorList } from "./errors";
import { Figures } from "./figures";
import { Messages } from "./messages";
import { useTasks } from "./tasks";
import { nodeOf } from "./viewport";

const kSeries = ["received_per_second", "emitted_per_second", "busy_share", "queued"] as const;
const cursor = signal<number | null>(null);
const timeText = (at: number) => new Date(at).toLocaleTimeString("en-GB");

/** The 15 minutes of one component: the engine's, and what comes while its details are open. */
function useCourse(report: Report, component: Component): History {
  const [course, setCourse] = useState<History>({ at: [], series: {} });
  useEffect(() => {
    let wanted = true;
    setCourse({ at: [], series: {} });
    if (report.at === undefined) return;  // an engine without history
    fetch(`/api/v1/history/components/${encodeURIComponent(component.name)}`)
      .then(async (answer) => (answer.ok ? ((await answer.json()) as HistoryAnswer) : null))
      .then((answer) => wanted && answer && setCourse(fromAnswer(answer)))
      .catch(() => undefined);  // the course begins now, then
    return () => { wanted = false; };
  }, [component.name]);
  useEffect(() => {
    const at = report.at ? Date.parse(report.at) : Date.now();
    setCourse((old) => appended(old, at, component as unknown as Record<string, Num>, kSeries));
  }, [report]);
  return course;
}

const given = <T,>(value: T | null | undefined): value is T => value !== null && value !== undefined;
const rate = (value: Num) => <>{short(value)}<small>{"\u202f/s"}</small></>;

function Facts(props: { component: Component }) {
  const c = props.component;
  const fill = toFigure(c.queue_fill) ?? 0;
  return (
    <dl class="facts">
      {given(c.received_per_second) && <Fact name="In" help="Records received a second.">{rate(c.received_per_second)}</Fact>}
      {given(c.emitted_per_second) && <Fact name="Out" help="Records emitted a second.">{rate(c.emitted_per_second)}</Fact>}
      <Fact name="Busy" help="Share of one executor's time, summed over the tasks. Near the number of tasks, it is the bottleneck: more tasks, or a cheaper step.">{percent(c.busy_share)}</Fact>
      {given(c.blocked_share) && <Fact name="Waits for a reader" help="Share of time its tasks waited because a queue behind them was full. The reader with the full queue is the cause, not this one.">{percent(c.blocked_share)}</Fact>}
      {given(c.queue_fill) && <Fact name="Queue before it" alarm={fill >= 0.9} help="How full its fullest input queue is. Full for long: it is slower than what feeds it.">{percent(c.queue_fill)}{given(c.queued) && <small> {short(c.queued)} records</small>}</Fact>}
      {given(c.step_us_p99) && given(c.step_us_p50) && (
        <Fact name="Own time a batch" help="p50, p99 and longest step of the last second, own code only. A step over 20 ms holds up the other tasks of its executor.">
          {micros(c.step_us_p50)} <small>p50</small> {micros(c.step_us_p99)} <small>p99</small>{given(c.step_us_max) && <> {micros(c.step_us_max)} <small>max</small></>}
        </Fact>
      )}
      {given(c.latency_us_p99) && given(c.latency_us_p50) && (
        <Fact name="Latency to here" help="From due to this sink's return, in the last second.">{micros(c.latency_us_p50)} <small>p50</small> {micros(c.latency_us_p99)} <small>p99</small></Fact>
      )}
      {c.watermark && <Fact name="Watermark" help="Event time up to which it has everything, in UTC.">{c.watermark === "end" ? "end" : clock(c.watermark)}{given(c.lag_ms) && <small> lag {span(c.lag_ms)}</small>}</Fact>}
      {(toFigure(c.state_bytes) ?? 0) > 0 && <Fact name="State" help="What it keeps in memory: keys, windows, partial matches, records that wait. --memory bounds all state together, and fails the component that has no room by its name.">{bytes(c.state_bytes as Num)}</Fact>}
      {c.closes_at && <Fact name="Next window fires at" help="Event time, UTC: the first open window comes out when the watermark passes this.">{clock(c.closes_at)} <small>{day(c.closes_at)}</small></Fact>}
      {c.skew && <Fact name="Most loaded task" alarm={c.skew.share > 2 * c.skew.even} help="The greatest share of recent input that one task took, and what an even share would be. Uneven: a key is hot; use partial_key, or a finer key.">{percent(c.skew.share)} <small>to task {c.skew.task}, even is {percent(c.skew.even)}</small></Fact>}
      {c.hot_key && <Fact name="Hot key" alarm help={`Seen in ${full(c.hot_key.samples)} samples, one record a batch. All records of a key go to one task.`}>{c.hot_key.text} <small>{percent(c.hot_key.share)} of samples</small></Fact>}
    </dl>
  );
}

/** received = processed + filtered + late + dead letters + in flight + played again, as a bar and in figures. */
function Counts(props: { component: Component }) {
  const c = props.component;
  const parts: [string, Num][] = [["processed", c.processed], ["filtered", c.filtered], ["late", c.late], ["dead letters", c.dead_lettered], ["in flight", c.in_flight], ["played again", c.failed ?? 0]];
  return (
    <>
      <h3>Where its records went</h3>
      <span class="identity" aria-hidden="true">
        {parts.map(([name, count], i) => (toFigure(count) ?? 0) > 0 && <i key={name} class={`part tone-${i}`} style={{ flexGrow: toFigure(count) ?? 0 }} />)}
      </span>
      <dl class="counts">
        <div><dt>received</dt><dd>{full(c.received)}</dd></div>
        {parts.filter(([name, count]) => name !== "played again" || (toFigure(count) ?? 0) > 0).map(([name, count], i) => <div key={name}><dt><i class={`key tone-${i}`} aria-hidden="true" />{name}</dt><dd>{full(count)}</dd></div>)}
        <div><dt>emitted</dt><dd>{full(c.emitted)}</dd></div>
        {(toFigure(c.rows_refused ?? 0) ?? 0) > 0 && (
          <div data-testid="rows-refused" title="Results that could not be made, as a sum beyond its range; each is among the dead letters, with what to do."><dt>results refused</dt><dd>{full(c.rows_refused ?? 0)}</dd></div>
        )}
      </dl>
    </>
  );
}

function Tasks(props: { tasks: Task[] }) {
  if (props.tasks.length === 0) return null;
  return (
    <>
      <h3>Tasks</h3>
      <div class="scroll short" tabIndex={0} role="group" aria-label="Tasks of the component">
        <table>
          <thead><tr><th scope="col">task</th><th scope="col">executor</th><th scope="col">state</th><th scope="col" class="num">in</th><th scope="col" class="num">busy</th><th scope="col" class="num">queue</th></tr></thead>
          <tbody>
            {props.tasks.map((task) => (
              <tr key={task.id} data-testid="task-row">
                <th scope="row">{task.index}</th>
                <td>{task.executor < 0 ? "\u2013" : <><i class={`key lane-${task.executor % 8}`} aria-hidden="true" />{task.executor}</>}</td>
                <td>{task.state}</td>
                <td class="num">{short(task.received_per_second)}{"\u202f/s"}</td>
                <td class="num">{percent(task.busy_share)}<Meter busy={toFigure(task.busy_share) ?? 0} blocked={toFigure(task.blocked_share) ?? 0} /></td>
                <td class="num">{percent(task.queue_fill)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** The partitions of a component that stamps event time; the one furthest behind that is not idle holds the watermark. */
function Partitions(props: { component: Component }) {
  const partitions = props.component.partitions ?? [];
  if (partitions.length === 0) return null;
  const open = partitions.filter((one) => !one.ended && !one.idle);
  const holder = open.length > 1 ? open.reduce((a, b) => ((a.watermark ?? "") <= (b.watermark ?? "") ? a : b)) : null;
  return (
    <>
      <h3>Event time of its partitions</h3>
      <ul class="partitions">
        {partitions.map((one) => (
          <li key={one.name} class={one === holder ? "holds" : ""}>
            <span>{one.name}</span>
            <span>{one.ended ? "ended" : one.watermark === null ? "nothing yet" : one.watermark === "end" ? "end" : clock(one.watermark)}{one === holder && <small> holds time back</small>}{one.idle && !one.ended && <small> idle, not waited for</small>}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Course(props: { report: Report; component: Component }) {
  const course = useCourse(props.report, props.component);
  const [what, setWhat] = useState<"records" | "busy" | "queued">("records");
  const values = (key: string) => course.series[key] ?? [];
  const shown = {
    records: { lines: [{ name: "in", values: values("received_per_second") }, { name: "out", values: values("emitted_per_second") }], text: (y: number) => `${short(y)}\u202f/s` },
    busy: { lines: [{ name: "busy", values: values("busy_share") }], text: (y: number) => percent(y) },
    queued: { lines: [{ name: "queued", values: values("queued") }], text: (y: number) => short(Math.round(y)) },
  }[what];
  return (
    <>
      <div class="segments" role="group" aria-label="What the chart shows">
        {(["records", "busy", "queued"] as const).map((one) => <button type="button" key={one} aria-pressed={what === one} onClick={() => setWhat(one)}>{one === "records" ? "Records" : one === "busy" ? "Busy" : "Queued"}</button>)}
      </div>
      <Chart label={`${props.component.name}: ${what}, last 15 minutes`} xs={course.at} lines={shown.lines} cursor={cursor} xText={timeText} yText={shown.text} time gap={kGapMs} range={rangeOf(course.at)} height={130} />
    </>
  );
}

function tasksOf(report: Report, component: Component, all: Task[]): Task[] {
  const chains = (report.chains ?? []).filter((chain) => chain.components.includes(component.name)).map((chain) => chain.id);
  return all.filter((task) => chains.includes(task.chain));
}

function Inspector(props: { report: Report; component: Component; tasks: Task[]; insights: Insight[]; onClose: () => void }) {
  const { report, component } = props;
  const errors = component.errors ?? [];
  return (
    <aside class="inspector" aria-label={`Details of ${component.name}`} data-testid="inspector" data-name={component.name}>
      <header>
        <div><h3 class="name">{component.name}</h3><p class="note">{component.kind.replaceAll("_", " ")}, {counted(component.tasks, "task")}</p></div>
        <button type="button" class="tool" onClick={props.onClose} aria-label="Close the details" title="Close (Esc)">Close</button>
      </header>
      {props.insights.map((one) => <p key={one.kind} class={`aside-said ${one.severity}`}>{one.text} <span>{one.advice}</span></p>)}
      <Course report={report} component={component} />
      <Facts component={component} />
      <Counts component={component} />
      <Figures component={component} />
      <Tasks tasks={tasksOf(report, component, props.tasks)} />
      <Messages component={component} />
      <Partitions component={component} />
      {errors.length > 0 && <><h3>Last errors</h3><ErrorList errors={errors} /></>}
    </aside>
  );
}

/** The details of the chosen component; nothing while none is chosen. */
export function Details(props: { report: Report }) {
  const name = selected.value;
  const tasks = useTasks(props.report, name !== null);
  if (name === null) return null;
  const component = props.report.components.find((one) => one.name === name);
  const close = () => {
    selected.value = null;
    nodeOf(name)?.querySelector("button")?.focus();
  };
  if (!component) {
    return <aside class="inspector" aria-label="Details"><p class="empty">This topology has no component named "{name}".</p><button type="button" class="tool" onClick={close}>Close</button></aside>;
  }
  const insights = (props.report.insights ?? []).filter((one) => one.component === name);
  return <Inspector key={name} report={props.report} component={component} tasks={tasks} insights={insights} onClose={close} />;
}
