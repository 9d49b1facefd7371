// Where boxes and lines stand: dagre's layered layout, with lines that leave and enter boxes at their sides.
import { Graph, layout } from "@dagrejs/dagre";

export interface Point { x: number; y: number }
export interface Box extends Point { width: number; height: number }
export interface NodeShape { id: string; width: number; height: number }
export interface EdgeShape { key: string; from: string; to: string }
/** `stems`: edges out of one box run as one line at first, for they carry the same records. */
export interface Shape { nodes: NodeShape[]; edges: EdgeShape[]; stems: boolean }

/** `label` is where the rate stands; `stem` is the same for all edges out of one box, and they part behind it. */
export interface DrawnLine { d: string; label: Point; stem: Point }
export interface Plan {
  width: number;
  height: number;
  boxes: Record<string, Box>;
  lines: Record<string, DrawnLine>;
}

const kLabelWidth = 56;
/** How far the edges out of one box run as one line, which carries their common rate. */
const kStem = 52;

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

/** Out of the right side, into the left one: dagre aims at the middle of boxes and may enter from above. */
function between(from: Box, to: Box, points: Point[], middle: Point, fan: boolean): DrawnLine {
  const right = from.x + from.width / 2;
  const left = to.x - to.width / 2;
  const stem = { x: right + kStem, y: from.y };
  const inner = points.slice(1, -1).filter((p) => p.x > right && p.x < left);
  // To the next rank, through the label is enough.
  const through = inner.length <= 3 ? (fan ? [] : [middle]) : inner.filter((p) => p.x > stem.x + 20);
  const all = [{ x: right, y: from.y }, ...(fan ? [stem] : []), ...through, { x: left, y: to.y }];
  return { d: path(all), label: middle, stem: { x: stem.x - kStem / 2, y: stem.y } };
}

export function plan(shape: Shape): Plan {
  if (shape.nodes.length === 0) return { width: 0, height: 0, boxes: {}, lines: {} };
  const graph = new Graph({ multigraph: true });
  // Large graphs take the faster ranking; it is as good to read.
  const ranker = shape.nodes.length > 150 ? "tight-tree" : "network-simplex";
  graph.setGraph({ rankdir: "LR", nodesep: 20, ranksep: 18, edgesep: 10, marginx: 6, marginy: 6, ranker });
  for (const { id, width, height } of shape.nodes) graph.setNode(id, { width, height });
  const outgoing = new Map<string, number>();
  for (const { key, from, to } of shape.edges) {
    if (!graph.hasNode(from) || !graph.hasNode(to)) continue;
    graph.setEdge(from, to, { width: kLabelWidth, height: 16, labelpos: "c" }, key);
    outgoing.set(from, (outgoing.get(from) ?? 0) + 1);
  }
  layout(graph);
  const boxes: Plan["boxes"] = {};
  for (const id of graph.nodes()) {
    const { x, y, width, height } = graph.node(id) as Box;
    boxes[id] = { x, y, width, height };
  }
  const lines: Plan["lines"] = {};
  for (const id of graph.edges()) {
    const { points, x, y } = graph.edge(id) as unknown as { points: Point[]; x: number; y: number };
    lines[id.name as string] = between(boxes[id.v] as Box, boxes[id.w] as Box, points, { x, y }, shape.stems && (outgoing.get(id.v) ?? 0) > 1);
  }
  const size = graph.graph() as { width?: number; height?: number };
  return { width: Math.ceil(size.width ?? 0), height: Math.ceil(size.height ?? 0), boxes, lines };
}
