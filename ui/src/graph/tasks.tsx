// The graph as it runs: components fused into chains, their tasks, and the executors these are on.
import { useEffect, useState } from "preact/hooks";
import { counted, micros, percent, short } from "../format";
import { hint } from "../hint";
import { toFigure } from "../history";
import { Meter } from "./box";
import { edgeKey, edgeText, fillClass, Lines } from "./lines";
import { nameWidth, usePlan } from "./plan";
import { fitScale, placed, Viewport } from "./viewport";
import type { Chain, Edge, Report, Task } from "../report";

/** Rows of a chain's box; more tasks are counted. */
const kRowsMax = 16;
const kRow = 22;
const kHead = 20;

/** All tasks: from the report, or asked for where they are too many for it. */
export function useTasks(report: Report, wanted: boolean): Task[] {
  const [asked, setAsked] = useState<Task[]>([]);
  const inReport = report.tasks ?? [];
  const missing = wanted && inReport.length === 0 && (report.tasks_total ?? 0) > 0;
  useEffect(() => {
    if (!missing) return;
    let current = true;
    fetch("/api/v1/tasks")
      .then(async (answer) => (answer.ok ? ((await answer.json()) as { tasks: Task[] }).tasks : []))
      .then((tasks) => current && setAsked(tasks))
      .catch(() => undefined);  // shown as they were
    return () => { current = false; };
  }, [missing, report]);
  return inReport.length > 0 ? inReport : asked;
}

/** Edges between two chains, as one line: what they carry together, and the fullest queue of them. */
interface Pipe { key: string; from: string; to: string; rate: number; fill: number; edges: Edge[] }

/** Edges between chains: those of the components at their ends; fused ones are inside a box. */
function pipesOf(chains: Chain[], edges: Edge[]): Pipe[] {
  const holding = new Map<string, number[]>();
  for (const chain of chains) for (const name of chain.components) holding.set(name, [...(holding.get(name) ?? []), chain.id]);
  const pipes = new Map<string, Pipe>();
  const add = (from: number, to: number, edge: Edge) => {
    const key = edgeKey(String(from), String(to), 0);
    const pipe = pipes.get(key) ?? { key, from: String(from), to: String(to), rate: 0, fill: 0, edges: [] };
    pipe.rate += toFigure(edge.records_per_second) ?? 0;
    pipe.fill = Math.max(pipe.fill, toFigure(edge.fill) ?? 0);
    pipe.edges.push(edge);
    pipes.set(key, pipe);
  };
  for (const edge of edges) {
    const from = holding.get(edge.from)?.at(-1);
    const into = holding.get(edge.to) ?? [];
    if (from === undefined || into.length === 0) continue;
    if (!into.includes(from)) add(from, into[0] as number, edge);
    // A component in two phases: its first is fused into its sender, its second is a chain of its own.
    else if (into.length > 1) add(from, into.at(-1) as number, edge);
  }
  return [...pipes.values()];
}

const widthOf = (chain: Chain) => Math.min(300, Math.max(230, 28 + Math.max(...chain.components.map(nameWidth))));
const heightOf = (chain: Chain) => 14 + kHead * chain.components.length + kRow * Math.min(chain.tasks, kRowsMax) + (chain.tasks > kRowsMax ? kRow : 0) + 6;

function TaskRow(props: { task: Task }) {
  const { task } = props;
  const fill = toFigure(task.queue_fill) ?? 0;
  const where = task.executor < 0 ? "on no executor" : `on executor ${task.executor}`;
  const step = task.running ? `, runs ${task.running} for ${micros(task.running_us)}` : "";
  return (
    <span
      class={`task ${task.state}`} data-testid="task" data-id={task.id} data-executor={task.executor} data-state={task.state}
      title={`task ${task.index} ${where}: ${task.state}, busy ${percent(task.busy_share)}, waits ${percent(task.blocked_share)}, queue ${percent(task.queue_fill)} full${step}`}
    >
      <i class={`lane ${task.executor < 0 ? "" : `lane-${task.executor % 8}`}`} aria-hidden="true">{task.executor < 0 ? "\u2013" : task.executor}</i>
      <span class="at">{task.index}</span>
      <Meter busy={toFigure(task.busy_share) ?? 0} blocked={toFigure(task.blocked_share) ?? 0} />
      <span class="share">{percent(task.busy_share)}</span>
      <span class={`queue${fillClass(fill)}`} aria-hidden="true"><i style={{ height: `${(100 * fill).toFixed(0)}%` }} /></span>
    </span>
  );
}

function ChainBox(props: { chain: Chain; tasks: Task[]; active: boolean; onOpen: (name: string) => void; style: Record<string, string> }) {
  const { chain, tasks } = props;
  const rest = tasks.length - kRowsMax;
  return (
    <li class="node" data-node={chain.id} data-testid="chain" style={props.style}>
      <button type="button" class="box chain" tabIndex={props.active ? 0 : -1} onClick={() => props.onOpen(chain.components.at(-1) as string)}>
        {chain.components.map((name) => <b key={name}>{name}</b>)}
        {tasks.slice(0, kRowsMax).map((task) => <TaskRow key={task.id} task={task} />)}
        {rest > 0 && <span class="task">and {rest} more</span>}
      </button>
    </li>
  );
}

/** A lane for each executor: the work of its tasks, side by side. */
function Lanes(props: { tasks: Task[]; chains: Chain[] }) {
  const executors = [...new Set(props.tasks.map((task) => task.executor).filter((id) => id >= 0))].sort((a, b) => a - b);
  const nameOf = (task: Task) => props.chains.find((chain) => chain.id === task.chain)?.components.at(-1) ?? "task";
  if (executors.length === 0) return <p class="note">No task is on an executor now.</p>;
  return (
    <ul class="lanes" aria-label="Executors">
      {executors.map((id) => {
        const own = props.tasks.filter((task) => task.executor === id);
        const busy = own.reduce((sum, task) => sum + (toFigure(task.busy_share) ?? 0), 0);
        return (
          <li key={id} data-testid="executor" data-id={id}>
            <span class="lane-name"><i class={`key lane-${id % 8}`} aria-hidden="true" />executor {id}</span>
            <span class="lane-bar" aria-hidden="true">
              {own.filter((task) => (toFigure(task.busy_share) ?? 0) >= 0.004).map((task) => (
                <i key={task.id} class={`lane-${id % 8}`} style={{ width: `${100 * Math.min(1, toFigure(task.busy_share) ?? 0)}%` }} title={`${nameOf(task)} ${task.index}: ${percent(task.busy_share)}`} />
              ))}
            </span>
            <span class="lane-note">{percent(busy)} busy, {counted(own.length, "task")}</span>
          </li>
        );
      })}
    </ul>
  );
}

export function TaskGraph(props: { report: Report; tasks: Task[]; width: number; zoom: number | null; setZoom: (zoom: number | null) => void; onOpen: (name: string) => void }) {
  const { report, tasks } = props;
  const chains = report.chains ?? [];
  const pipes = pipesOf(chains, report.edges);
  const nodes = chains.map((chain) => ({ id: String(chain.id), width: widthOf(chain), height: heightOf(chain) }));
  const shape = { nodes, edges: pipes.map(({ key, from, to }) => ({ key, from, to })), stems: false };
  const plan = usePlan("tasks", JSON.stringify(shape), () => shape);
  const [active, setActive] = useState<string | null>(null);
  const first = active ?? String(chains[0]?.id ?? "");
  const byChain = new Map<number, Task[]>();
  for (const task of tasks) byChain.set(task.chain, [...(byChain.get(task.chain) ?? []), task]);
  const scale = plan ? props.zoom ?? fitScale(plan, props.width) : 1;
  return (
    <>
      <Lanes tasks={tasks} chains={chains} />
      {plan && (
        <Viewport plan={plan} scale={scale} zoom={props.zoom} setZoom={props.setZoom} label={`Graph of ${chains.length} chains of tasks`} active={active} setActive={setActive}>
          <Lines flows={pipes} plan={plan} />
          <ul class="boxes" aria-label="Chains of components and their tasks">
            {chains.map((chain) => {
              const box = plan.boxes[String(chain.id)];
              return box && <ChainBox key={chain.id} chain={chain} tasks={byChain.get(chain.id) ?? []} active={first === String(chain.id)} onOpen={props.onOpen} style={placed(box)} />;
            })}
          </ul>
          <ul class="rates" aria-hidden="true">
            {pipes.map(({ key, rate, fill, edges }) => {
              const line = plan.lines[key];
              return line && <li key={key} class={`rate${fillClass(fill)}`} onPointerEnter={hint(() => edges.map(edgeText).join("\n"))} style={{ left: `${line.label.x}px`, top: `${line.label.y}px` }}>{short(rate)}{"\u202f/s"}{fill >= 0.5 && <b>{percent(fill)} full</b>}</li>;
            })}
          </ul>
        </Viewport>
      )}
    </>
  );
}
