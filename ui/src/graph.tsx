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
  lines: Map<string, { points: Point[]; label: Point }>;
}

const kBoxHeight = 64;
/** Below this width the graph runs from top to bottom. */
const kWideMin = 720;
/** A wide graph is made smaller down to this scale to fit; below it, it scrolls. */
const kScaleMin = 0.72;

const edgeKey = (edge: Edge, index: number) => `${edge.from}\u0000${edge.to}\u0000${index}`;
const boxWidth = (name: string) => Math.min(240, Math.max(128, Math.round(name.length * 7.6) + 30));

function plan(components: Component[], edges: Edge[], direction: "LR" | "TB"): Plan {
  const graph = new Graph({ multigraph: true });
  const down = direction === "TB";
  graph.setGraph({ rankdir: direction, nodesep: down ? 16 : 20, ranksep: down ? 22 : 26, edgesep: 10, marginx: 4, marginy: 4 });
  for (const { name } of components) graph.setNode(name, { width: boxWidth(name), height: kBoxHeight });
  edges.forEach((edge, i) => {
    if (!graph.hasNode(edge.from) || !graph.hasNode(edge.to)) return;
    graph.setEdge(edge.from, edge.to, { width: 58, height: 16, labelpos: "c" }, edgeKey(edge, i));
  });
  layout(graph);
  const boxes = new Map<string, Box>();
  for (const name of graph.nodes()) boxes.set(name, graph.node(name) as Box);
  const lines: Plan["lines"] = new Map();
  for (const id of graph.edges()) {
    const edge = graph.edge(id) as unknown as { points: Point[]; x: number; y: number };
    lines.set(id.name as string, { points: edge.points, label: { x: edge.x, y: edge.y } });
  }
  const size = graph.graph() as { width?: number; height?: number };
  return { width: Math.ceil(size.width ?? 0), height: Math.ceil(size.height ?? 0), boxes, lines };
}

/** A smooth line through the middle of the points. */
function path(points: Point[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let d = `M${first.x.toFixed(1)} ${first.y.toFixed(1)}`;
  for (let i = 0; i < rest.length; i++) {
    const at = rest[i] as Point;
    const next = rest[i + 1];
    if (!next) {
      d += `L${at.x.toFixed(1)} ${at.y.toFixed(1)}`;
    } else {
      const end = i + 2 === rest.length ? next : { x: (at.x + next.x) / 2, y: (at.y + next.y) / 2 };
      d += `Q${at.x.toFixed(1)} ${at.y.toFixed(1)} ${end.x.toFixed(1)} ${end.y.toFixed(1)}`;
      if (i + 2 === rest.length) break;
    }
  }
  return d;
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

function ComponentBox(props: { component: Component; box: Box }) {
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
      style={{ left: box.x - box.width / 2, top: box.y - box.height / 2, width: box.width, height: box.height }}
    >
      <span class="box-head">
        <b>{c.name}</b>
      </span>
      <span class="box-foot">
        <span>{c.kind}{c.tasks > 1 ? ` \u00d7${c.tasks}` : ""}</span>
        <Trouble component={c} />
        <span class="busy" data-testid="busy" data-value={c.busy_share} title={`busy ${full(c.busy_share)} of one executor's time`}>
          {percent(c.busy_share)}
        </span>
      </span>
      <span class="meter" aria-hidden="true"><i style={{ transform: `scaleX(${share})` }} /></span>
    </li>
  );
}

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
          <path
            key={edgeKey(edge, i)}
            class={rate > 0 ? "line flowing" : "line"}
            d={path(line.points)}
            marker-end="url(#head)"
            stroke-width={thickness(rate).toFixed(2)}
          />
        );
      })}
    </svg>
  );
}

function Rates(props: { edges: Edge[]; drawn: Plan }) {
  return (
    <ul class="rates" aria-label="Edges">
      {props.edges.map((edge, i) => {
        const line = props.drawn.lines.get(edgeKey(edge, i));
        return line && (
          <li
            key={edgeKey(edge, i)}
            data-testid="edge"
            data-from={edge.from}
            data-to={edge.to}
            data-value={edge.records_per_second}
            aria-label={`${edge.from} to ${edge.to}: ${full(edge.records_per_second)} records a second`}
            title={`${edge.from} \u2192 ${edge.to} (${edge.grouping}): ${full(edge.records_per_second)} records a second, ` +
              `sent ${full(edge.sent)}, received ${full(edge.received)}, queued ${full(edge.queued)}`}
            style={{ left: line.label.x, top: line.label.y }}
          >
            {short(edge.records_per_second)}{"\u202f/s"}
          </li>
        );
      })}
    </ul>
  );
}

export function TopologyGraph(props: { report: Report }) {
  const { components, edges } = props.report;
  const { ref, width } = useWidth();
  const direction = width >= kWideMin ? "LR" : "TB";
  // The layout is that of the names alone: it is made anew only when they change.
  const shape = JSON.stringify([components.map((c) => c.name), edges.map((e) => [e.from, e.to]), direction]);
  const drawn = useMemo(() => plan(components, edges, direction), [shape]);
  const scale = width > 0 ? Math.max(kScaleMin, Math.min(1, width / drawn.width)) : 1;
  return (
    <section class="card" aria-labelledby="topology-title" data-testid="topology">
      <header>
        <h2 id="topology-title">Topology</h2>
        <p class="note">records a second along each edge; the bar is the busy share of an executor</p>
      </header>
      <div class="graph" ref={ref} tabIndex={0} role="group" aria-label={`Graph of ${components.length} components`}>
        <div class="canvas" style={{ width: drawn.width * scale, height: drawn.height * scale }}>
          <div class="drawing" style={{ width: drawn.width, height: drawn.height, transform: `scale(${scale})` }}>
            <Lines edges={edges} drawn={drawn} />
            <ul class="boxes" aria-label="Components">
              {components.map((c) => {
                const box = drawn.boxes.get(c.name);
                return box && <ComponentBox key={c.name} component={c} box={box} />;
              })}
            </ul>
            <Rates edges={edges} drawn={drawn} />
          </div>
        </div>
      </div>
    </section>
  );
}
