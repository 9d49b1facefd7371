// The topology as a graph: boxes of components laid out by dagre, edges with their rates.
import { Graph, layout } from "@dagrejs/dagre";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { full, percent, short } from "./format";
import type { Component, Edge, Num, Report } from "./report";

interface Point { x: number; y: number }
interface Box extends Point { width: number; height: number }
interface Plan {
  width: number;
  height: number;
  boxes: Map<string, Box>;
  /** `label` is where the rate stands; `stem` is the same for all edges out of one box, and they part behind it. */
  lines: Map<string, { points: Point[]; label: Point; stem: Point }>;
}

const kBoxHeight = 64;
const kLabelWidth = 58;
/** How far the edges out of one box run as one line, which carries their common rate. */
const kStem = 54;
/** A wide graph is made smaller down to this scale to fit; below it, it scrolls. */
const kScaleMin = 0.8;
/** Narrower than this, no picture of a graph can be read: its components are listed in their order. */
const kListWidthMax = 480;

const edgeKey = (edge: Edge, index: number) => `${edge.from}\u0000${edge.to}\u0000${index}`;
const px = (length: number) => `${length}px`;

/** Wide enough for the name as this browser draws it. */
function boxWidth(name: string): number {
  const brush = document.createElement("canvas").getContext("2d");
  if (!brush) return 240;
  brush.font = `600 14px ${getComputedStyle(document.body).fontFamily}`;
  return Math.min(320, Math.max(124, Math.ceil(brush.measureText(name).width) + 30));
}

function plan(components: Component[], edges: Edge[]): Plan {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 20, ranksep: 26, edgesep: 10, marginx: 4, marginy: 4 });
  for (const { name } of components) graph.setNode(name, { width: boxWidth(name), height: kBoxHeight });
  edges.forEach((edge, i) => {
    if (!graph.hasNode(edge.from) || !graph.hasNode(edge.to)) return;
    graph.setEdge(edge.from, edge.to, { width: kLabelWidth, height: 16, labelpos: "c" }, edgeKey(edge, i));
  });
  layout(graph);
  const fans = new Set(edges.filter((edge, i) => edges.findIndex((e) => e.from === edge.from) !== i).map((edge) => edge.from));
  const boxes = new Map<string, Box>();
  for (const name of graph.nodes()) boxes.set(name, graph.node(name) as Box);
  const lines: Plan["lines"] = new Map();
  for (const id of graph.edges()) {
    const edge = graph.edge(id) as unknown as { points: Point[]; x: number; y: number };
    const from = boxes.get(id.v) as Box;
    const to = boxes.get(id.w) as Box;
    const stem = { x: from.x + from.width / 2 + kStem, y: from.y };
    // Out of the right side, into the left one: dagre aims at the middle of boxes and may enter from above.
    const between = edge.points.slice(1, -1).filter((p) => p.x > from.x + from.width / 2 && p.x < to.x - to.width / 2);
    const points = [
      { x: from.x + from.width / 2, y: from.y },
      ...(fans.has(id.v) ? [stem] : []),
      ...(between.length <= 3 ? (fans.has(id.v) ? [] : [{ x: edge.x, y: edge.y }]) : between.filter((p) => p.x > stem.x + 20)),  // to the next rank: through the label is enough
      { x: to.x - to.width / 2, y: to.y },
    ];
    lines.set(id.name as string, { points, label: { x: edge.x, y: edge.y }, stem: { x: stem.x - kStem / 2, y: stem.y } });
  }
  const size = graph.graph() as { width?: number; height?: number };
  return { width: Math.ceil(size.width ?? 0), height: Math.ceil(size.height ?? 0), boxes, lines };
}

const at = (point: Point) => `${point.x.toFixed(1)} ${point.y.toFixed(1)}`;

/** A smooth line through the points, level in each. */
function path(points: Point[]): string {
  return points.map((point, i) => {
    const last = points[i - 1];
    if (!last) return `M${at(point)}`;
    const middle = (last.x + point.x) / 2;
    return `C${at({ x: middle, y: last.y })} ${at({ x: middle, y: point.y })} ${at(point)}`;
  }).join("");
}

const asNumber = (value: Num) => (typeof value === "number" ? value : Number(value));
/** 1 to 5 pixels, by the magnitude of the rate. */
const thickness = (rate: number) => (rate > 0 ? Math.min(5, 1.25 + 0.75 * Math.log10(1 + rate)) : 1.25);

function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => setWidth(ref.current?.clientWidth ?? 0), []);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => entry && setWidth(entry.contentRect.width));
    if (ref.current) observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}

function Trouble(props: { component: Component }) {
  const { late, dead_lettered: dead } = props.component;
  return (
    <>
      {late !== 0 && <span class="trouble" title={`${full(late)} records came too late`}>{short(late)} late</span>}
      {dead !== 0 && <span class="trouble" title={`${full(dead)} dead letters`}>{short(dead)} dead</span>}
    </>
  );
}

/** A kind as a word to read; a name that says it already is not repeated. */
function kindText(component: Component, last: boolean): string {
  const kind = component.kind.replaceAll("_", " ");
  if (last && kind !== "view" && kind !== "sink") return `${kind} sink`;
  return kind === component.name ? "operator" : kind;
}

/** "220 /s to articles, oracle counts": what the lines of the graph say, in words. */
function readersOf(component: Component, edges: Edge[]): string {
  const out = edges.filter((edge) => edge.from === component.name);
  const rates = [...new Set(out.map((edge) => edge.records_per_second))];
  return rates.map((rate) => `${short(rate)}\u202f/s to ${out.filter((e) => e.records_per_second === rate).map((e) => e.to).join(", ")}`).join("; ");
}

/** `last`: nothing reads from it. `readers`: who does, where no lines are drawn. */
function ComponentBox(props: { component: Component; box: Box; last: boolean; readers: string }) {
  const { component: c, box } = props;
  const busy = asNumber(c.busy_share);
  const share = Math.max(0, Math.min(1, busy / Math.max(1, c.tasks)));
  const counts = `received ${full(c.received)}, processed ${full(c.processed)}, filtered ${full(c.filtered)}, late ${full(c.late)}, ` +
    `dead letters ${full(c.dead_lettered)}, in flight ${full(c.in_flight)}, emitted ${full(c.emitted)}`;
  return (
    <li
      class="box"
      data-testid="component"
      data-name={c.name}
      data-received={c.received}
      data-emitted={c.emitted}
      title={`${c.name} (${c.kind}, ${c.tasks} ${c.tasks === 1 ? "task" : "tasks"}): ${counts}`}
      style={{ left: px(box.x - box.width / 2), top: px(box.y - box.height / 2), width: px(box.width), height: px(box.height) }}
    >
      <span class="box-head">
        <b>{c.name}</b>
      </span>
      <span class="box-foot">
        <span>{kindText(c, props.last)}{c.tasks > 1 ? ` \u00d7${c.tasks}` : ""}</span>
        <Trouble component={c} />
        <span class="busy" data-testid="busy" data-value={c.busy_share} title={`busy ${full(c.busy_share)} of one executor's time`}>
          {percent(c.busy_share)}
        </span>
      </span>
      {props.readers && <span class="readers">{props.readers}</span>}
      <span class="meter" aria-hidden="true"><i style={{ transform: `scaleX(${share})` }} /></span>
    </li>
  );
}

const edgeText = (edge: Edge) =>
  `${edge.from} \u2192 ${edge.to} (${edge.grouping}): ${full(edge.records_per_second)} records a second, ` +
  `sent ${full(edge.sent)}, received ${full(edge.received)}, queued ${full(edge.queued)}`;

function Lines(props: { edges: Edge[]; drawn: Plan }) {
  const { drawn } = props;
  return (
    <svg width={drawn.width} height={drawn.height} aria-hidden="true">
      <defs>
        <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">
          <path class="arrow" d="M0 0.5 7.5 4 0 7.5z" />
        </marker>
      </defs>
      {props.edges.map((edge, i) => {
        const line = drawn.lines.get(edgeKey(edge, i));
        const rate = asNumber(edge.records_per_second);
        return line && (
          <g key={edgeKey(edge, i)}>
            <path
              class={rate > 0 ? "line flowing" : "line"}
              d={path(line.points)}
              marker-end="url(#head)"
              stroke-width={thickness(rate).toFixed(2)}
            />
            <path class="reach" d={path(line.points)}><title>{edgeText(edge)}</title></path>
          </g>
        );
      })}
    </svg>
  );
}

function Rates(props: { edges: Edge[]; drawn: Plan }) {
  // Readers of one output get the same records: one figure where their lines start says it for all of them.
  const place = (edge: Edge, index: number) => {
    const siblings = props.edges.filter((e) => e.from === edge.from);
    if (siblings.length === 1 || siblings.some((e) => e.records_per_second !== edge.records_per_second)) return "own";
    return props.edges.findIndex((e) => e.from === edge.from) === index ? "common" : "unseen";
  };
  return (
    <ul class="rates" aria-label="Edges">
      {props.edges.map((edge, i) => {
        const line = props.drawn.lines.get(edgeKey(edge, i));
        const where = place(edge, i);
        const point = line && (where === "own" ? line.label : line.stem);
        return point && (
          <li
            key={edgeKey(edge, i)}
            class={where === "unseen" ? "unseen" : ""}
            data-testid="edge"
            data-from={edge.from}
            data-to={edge.to}
            data-value={edge.records_per_second}
            title={edgeText(edge)}
            style={{ left: px(point.x), top: px(point.y) }}
          >
            <span class="unseen">{edge.from} to {edge.to}: </span>
            {short(edge.records_per_second)}{"\u202f/s"}
          </li>
        );
      })}
    </ul>
  );
}

function Twin(props: { caption: string; heads: string[]; rows: { names: string[]; figures: Num[] }[] }) {
  const texts = props.rows[0]?.names.length ?? 0;
  return (
    <table>
      <caption>{props.caption}</caption>
      <thead><tr>{props.heads.map((head, i) => <th scope="col" class={i >= texts ? "num" : ""}>{head}</th>)}</tr></thead>
      <tbody>
        {props.rows.map(({ names, figures }) => (
          <tr>
            {names.map((name) => <td>{name}</td>)}
            {figures.map((figure) => <td class="num">{full(figure)}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The graph's numbers, exact and without a picture; drawn only while it is open. */
function Tables(props: { report: Report }) {
  const { components, edges } = props.report;
  const [open, setOpen] = useState(false);
  return (
    <details class="twin" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>All numbers as tables</summary>
      {open && (
        <div class="scroll" tabIndex={0} role="group" aria-label="Components and edges">
          <Twin
            caption="Components"
            heads={["name", "kind", "tasks", "received", "processed", "filtered", "late", "dead", "in flight", "emitted"]}
            rows={components.map((c) => ({ names: [c.name, c.kind.replaceAll("_", " ")],
              figures: [c.tasks, c.received, c.processed, c.filtered, c.late, c.dead_lettered, c.in_flight, c.emitted] }))}
          />
          <Twin
            caption="Edges"
            heads={["from", "to", "grouping", "records a second", "sent", "received", "queued"]}
            rows={edges.map((e) => ({ names: [e.from, e.to, e.grouping],
              figures: [Math.round(asNumber(e.records_per_second) * 10) / 10, e.sent, e.received, e.queued] }))}
          />
        </div>
      )}
    </details>
  );
}

export function TopologyGraph(props: { report: Report }) {
  const { components, edges } = props.report;
  const { ref, width } = useWidth();
  // The layout is that of the names alone: it is made anew only when they change.
  const shape = JSON.stringify([components.map((c) => c.name), edges.map((e) => [e.from, e.to])]);
  const drawn = useMemo(() => plan(components, edges), [shape]);
  const listed = width > 0 && width < kListWidthMax;
  const scale = width > 0 ? Math.max(kScaleMin, Math.min(1, width / drawn.width)) : 1;
  return (
    <section class="card" aria-labelledby="topology-title" data-testid="topology">
      <header>
        <h2 id="topology-title">Topology</h2>
        <p class="note">records a second along each edge; the bar is the busy share of an executor</p>
      </header>
      <div class={listed ? "graph listed" : "graph"} ref={ref} tabIndex={0} role="group" aria-label={`Graph of ${components.length} components`}>
        <div class="canvas" style={{ width: px(drawn.width * scale), height: px(drawn.height * scale) }}>
          <div class="drawing" style={{ width: px(drawn.width), height: px(drawn.height), transform: `scale(${scale})` }}>
            <Lines edges={edges} drawn={drawn} />
            <ul class="boxes" aria-label="Components">
              {components.map((c) => {
                const box = drawn.boxes.get(c.name);
                return box && <ComponentBox key={c.name} component={c} box={box} last={!edges.some((e) => e.from === c.name)} readers={listed ? readersOf(c, edges) : ""} />;
              })}
            </ul>
            <Rates edges={edges} drawn={drawn} />
          </div>
        </div>
      </div>
      <Tables report={props.report} />
    </section>
  );
}
