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
/** A wide graph is made smaller down to this scale to fit; below it, it scrolls. */
const kScaleMin = 0.8;

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
    graph.setEdge(edge.from, edge.to, { width: 58, height: 16, labelpos: "c" }, edgeKey(edge, i));
  });
  layout(graph);
  const boxes = new Map<string, Box>();
  for (const name of graph.nodes()) boxes.set(name, graph.node(name) as Box);
  const lines: Plan["lines"] = new Map();
  for (const id of graph.edges()) {
    const edge = graph.edge(id) as unknown as { points: Point[]; x: number; y: number };
    const from = boxes.get(id.v) as Box;
    const to = boxes.get(id.w) as Box;
    // Out of the right side, into the left one: dagre aims at the middle of boxes and may enter from above.
    const between = edge.points.slice(1, -1).filter((p) => p.x > from.x + from.width / 2 && p.x < to.x - to.width / 2);
    const points = [
      { x: from.x + from.width / 2, y: from.y },
      ...(between.length <= 3 ? [{ x: edge.x, y: edge.y }] : between),  // to the next rank: through the label is enough
      { x: to.x - to.width / 2, y: to.y },
    ];
    lines.set(id.name as string, { points, label: { x: edge.x, y: edge.y } });
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
      style={{ left: px(box.x - box.width / 2), top: px(box.y - box.height / 2), width: px(box.width), height: px(box.height) }}
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
            style={{ left: px(line.label.x), top: px(line.label.y) }}
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
  // The layout is that of the names alone: it is made anew only when they change.
  const shape = JSON.stringify([components.map((c) => c.name), edges.map((e) => [e.from, e.to])]);
  const drawn = useMemo(() => plan(components, edges), [shape]);
  const scale = width > 0 ? Math.max(kScaleMin, Math.min(1, width / drawn.width)) : 1;
  return (
    <section class="card" aria-labelledby="topology-title" data-testid="topology">
      <header>
        <h2 id="topology-title">Topology</h2>
        <p class="note">records a second along each edge; the bar is the busy share of an executor</p>
      </header>
      <div class="graph" ref={ref} tabIndex={0} role="group" aria-label={`Graph of ${components.length} components`}>
        <div class="canvas" style={{ width: px(drawn.width * scale), height: px(drawn.height * scale) }}>
          <div class="drawing" style={{ width: px(drawn.width), height: px(drawn.height), transform: `scale(${scale})` }}>
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
