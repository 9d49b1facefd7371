// The topology: its components or the tasks it runs as, with the details of the chosen one beside it.
import { useState } from "preact/hooks";
import { useWidth } from "../chart";
import { counted } from "../format";
import { toFigure } from "../history";
import { selected } from "../selection";
import type { Component, Edge, Insight, Report } from "../report";
import { ComponentBox, readersOf } from "./box";
import type { Shape } from "./layout";
import { edgeKey, edgeText, Lines, Rates } from "./lines";
import { nameWidth, usePlan } from "./plan";
import { Tables } from "./tables";
import { TaskGraph, useTasks } from "./tasks";
import { fitScale, nodeOf, shownScale, Viewport, ZoomTools } from "./viewport";

const kBoxHeight = 62;
/** Narrower than this, no picture of a graph can be read: its components are listed in their order. */
const kListWidthMax = 480;
/** From so many components on there is a field to find one. */
const kFindFrom = 12;

function shapeOf(components: Component[], edges: Edge[]): Shape {
  return {
    nodes: components.map(({ name }) => ({ id: name, width: Math.min(300, Math.max(128, nameWidth(name) + 28)), height: kBoxHeight })),
    edges: edges.map(({ from, to }, i) => ({ key: edgeKey(from, to, i), from, to })),
    stems: true,
  };
}

/** The worst severity of what the engine says about each component. */
function marksOf(insights: Insight[]): Map<string, string> {
  const marks = new Map<string, string>();
  for (const { component, severity } of insights) {
    if (component && severity !== "info" && marks.get(component) !== "error") marks.set(component, severity);
  }
  return marks;
}

interface ViewProps { report: Report; width: number; zoom: number | null; setZoom: (zoom: number | null) => void; find: string; onOpen: (name: string) => void }

function Boxes(props: ViewProps & { boxes: Record<string, { x: number; y: number; width: number; height: number }> | null; active: string | null }) {
  const { components, edges, insights } = props.report;
  const marks = marksOf(insights ?? []);
  const senders = new Set(edges.map((edge) => edge.from));
  const wanted = props.find.trim().toLowerCase();
  const first = props.active ?? selected.value ?? components[0]?.name ?? null;
  return (
    <ul class="boxes" aria-label="Components">
      {components.map((c) => {
        const box = props.boxes?.[c.name] ?? null;
        if (props.boxes && !box) return null;
        return (
          <ComponentBox
            key={c.name} component={c} box={box} last={!senders.has(c.name)} readers={props.boxes ? "" : readersOf(c, edges)}
            selected={selected.value === c.name} active={props.boxes === null || first === c.name} mark={marks.get(c.name) ?? ""}
            found={wanted === "" || c.name.toLowerCase().includes(wanted)} onOpen={props.onOpen}
          />
        );
      })}
    </ul>
  );
}

function ComponentGraph(props: ViewProps) {
  const { components, edges } = props.report;
  const shape = shapeOf(components, edges);
  const plan = usePlan("components", JSON.stringify(shape), () => shape);
  const [active, setActive] = useState<string | null>(null);
  if (props.width > 0 && props.width < kListWidthMax) {
    return (
      <div class="graph listed" role="group" aria-label={`List of ${components.length} components`}>
        <Boxes {...props} boxes={null} active={active} />
        <ul class="rates unseen" aria-label="Edges">
          {edges.map((edge, i) => <li key={edgeKey(edge.from, edge.to, i)} data-testid="edge" data-from={edge.from} data-to={edge.to} data-value={edge.records_per_second}>{edgeText(edge)}</li>)}
        </ul>
      </div>
    );
  }
  if (!plan) return <div class="graph laying" aria-busy="true"><p class="empty">Laying out {components.length} components{"\u2026"}</p></div>;
  const scale = props.zoom ?? fitScale(plan, props.width);
  const flows = edges.map((edge, i) => ({ key: edgeKey(edge.from, edge.to, i), rate: toFigure(edge.records_per_second) ?? 0, fill: toFigure(edge.fill) ?? 0, edges: [edge] }));
  return (
    <Viewport plan={plan} scale={scale} zoom={props.zoom} setZoom={props.setZoom} label={`Graph of ${components.length} components`} active={active} setActive={setActive}>
      <Lines flows={flows} plan={plan} />
      <Boxes {...props} boxes={plan.boxes} active={active} />
      <Rates edges={edges} plan={plan} />
    </Viewport>
  );
}

/** Opens the first component whose name holds the text, and brings it into sight. */
function goTo(find: string, components: Component[], setZoom: (zoom: number) => void): void {
  const wanted = find.trim().toLowerCase();
  const found = components.find((one) => one.name.toLowerCase() === wanted) ?? components.find((one) => one.name.toLowerCase().includes(wanted));
  if (!wanted || !found) return;
  selected.value = found.name;
  if (shownScale.value < 0.7) setZoom(1);
  requestAnimationFrame(() => nodeOf(found.name)?.scrollIntoView({ block: "nearest", inline: "center" }));
}

export function TopologyGraph(props: { report: Report }) {
  const { report } = props;
  const { ref, width } = useWidth<HTMLDivElement>();
  const [zoom, setZoom] = useState<number | null>(null);
  const [asTasks, setAsTasks] = useState(false);
  const [find, setFind] = useState("");
  const tasks = useTasks(report, asTasks);
  const runs = (report.chains ?? []).length > 0;
  const open = (name: string) => (selected.value = selected.value === name ? null : name);
  const view = { report, width, zoom, setZoom, find, onOpen: open };
  return (
    <section class="card" aria-labelledby="topology-title" data-testid="topology">
      <header>
        <h2 id="topology-title">Topology<small>{counted(report.components.length, "component")}{report.tasks_total ? `, ${counted(report.tasks_total, "task")}` : ""}</small></h2>
        <div class="tools">
          {report.components.length >= kFindFrom && !asTasks && (
            <input type="search" data-find placeholder="Find a component" aria-label="Find a component" value={find} onInput={(event) => setFind(event.currentTarget.value)}
                   onKeyDown={(event) => event.key === "Enter" && goTo(find, report.components, setZoom)} title="Enter opens the first one found" />
          )}
          {runs && (
            <div class="segments" role="group" aria-label="What the graph shows">
              <button type="button" aria-pressed={!asTasks} onClick={() => { setAsTasks(false); setZoom(null); }}>Components</button>
              <button type="button" aria-pressed={asTasks} onClick={() => { setAsTasks(true); setZoom(null); }}>Tasks</button>
            </div>
          )}
          {(width === 0 || width >= kListWidthMax) && <ZoomTools zoom={zoom} setZoom={setZoom} />}
        </div>
      </header>
      <div class="picture" ref={ref}>{asTasks ? <TaskGraph {...view} tasks={tasks} /> : <ComponentGraph {...view} />}</div>
      <p class="legend"><span><i class="key busy-key" />busy</span><span><i class="key blocked-key" />waits for a reader</span><span><i class="key filling-key" />queue fills</span><span>figures: records a second</span></p>
      <Tables report={report} />
    </section>
  );
}
