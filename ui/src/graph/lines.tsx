// Edges: lines as thick as their rate, coloured as their queue fills, with the rate in figures.
import { full, percent, short } from "../format";
import { hint } from "../hint";
import { toFigure } from "../history";
import { equalIn, memo } from "../memo";
import type { Edge } from "../report";
import type { DrawnLine, Plan } from "./layout";

/** A queue fuller than this is worth a colour. */
const kFilling = 0.5;
const kFull = 0.9;

export const edgeKey = (from: string, to: string, index: number) => `${from}\u0000${to}\u0000${index}`;

/** 1.25 to 5 pixels, by the magnitude of the rate. */
const thickness = (rate: number) => (rate > 0 ? Math.min(5, 1.25 + 0.75 * Math.log10(1 + rate)) : 1.25);

export function queueWords(edge: Edge): string {
  if (edge.rings === 0) return "fused: no queue between them";
  if (edge.fill === undefined) return `queued ${full(edge.queued)}`;
  return `queue ${percent(edge.fill)} full (${full(edge.queued)} records)`;
}

export const edgeText = (edge: Edge) =>
  `${edge.from} \u2192 ${edge.to} (${edge.grouping}): ${full(edge.records_per_second)} records a second, ` +
  `sent ${full(edge.sent)}, received ${full(edge.received)}, ${queueWords(edge)}`;

export function fillClass(fill: number): string {
  return fill >= kFull ? " full" : fill >= kFilling ? " filling" : "";
}

interface LineProps { line: DrawnLine; width: string; look: string; edges: Edge[] }

const sameNumbers = (a: Edge, b: Edge) => equalIn(a, b, ["sent", "received", "queued", "records_per_second", "fill"]);

const OneLine = memo<LineProps>(({ line, width, look, edges }) => (
  <g>
    <path class={`pipe${look}`} d={line.d} marker-end="url(#head)" stroke-width={width} />
    <path class="reach" d={line.d} onPointerEnter={hint(() => edges.map(edgeText).join("\n"))}><title /></path>
  </g>
), (a, b) => a.line === b.line && a.width === b.width && a.look === b.look && a.edges.length === b.edges.length && a.edges.every((edge, i) => sameNumbers(edge, b.edges[i] as Edge)));

export interface Flow { key: string; rate: number; fill: number; edges: Edge[] }

export function Lines(props: { flows: Flow[]; plan: Plan }) {
  const { plan } = props;
  return (
    <svg width={plan.width} height={plan.height} aria-hidden="true">
      <defs>
        <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">
          <path class="arrow" d="M0 0.5 7.5 4 0 7.5z" />
        </marker>
      </defs>
      {props.flows.map(({ key, rate, fill, edges }) => {
        const line = plan.lines[key];
        return line && <OneLine key={key} line={line} width={thickness(rate).toFixed(1)} look={`${rate > 0 ? " flowing" : ""}${fillClass(fill)}`} edges={edges} />;
      })}
    </svg>
  );
}

interface RateProps { edge: Edge; x: number; y: number; seen: boolean }

const OneRate = memo<RateProps>(({ edge, x, y, seen }) => {
  const fill = toFigure(edge.fill) ?? 0;
  return (
    <li
      class={seen ? `rate${fillClass(fill)}` : "unseen"}
      data-testid="edge" data-from={edge.from} data-to={edge.to} data-value={edge.records_per_second} data-fill={edge.fill}
      onPointerEnter={hint(() => edgeText(edge))}
      style={{ left: `${x}px`, top: `${y}px` }}
    >
      <span class="unseen">{edge.from} to {edge.to}: </span>
      {short(edge.records_per_second)}{"\u202f/s"}
      {fill >= kFilling && <b>{percent(fill)} full</b>}
    </li>
  );
}, (a, b) => a.x === b.x && a.y === b.y && a.seen === b.seen && sameNumbers(a.edge, b.edge));

/** Readers of one output get the same records: one figure where their lines start says it for all of them. */
function placesOf(edges: Edge[]): ("own" | "common" | "unseen")[] {
  const bySender = new Map<string, number[]>();
  edges.forEach((edge, i) => {
    const siblings = bySender.get(edge.from);
    if (siblings) siblings.push(i); else bySender.set(edge.from, [i]);
  });
  return edges.map((edge, i) => {
    const siblings = bySender.get(edge.from) ?? [];
    const alike = siblings.every((s) => edges[s]?.records_per_second === edge.records_per_second && !edges[s]?.fill);
    return siblings.length === 1 || !alike ? "own" : siblings[0] === i ? "common" : "unseen";
  });
}

export function Rates(props: { edges: Edge[]; plan: Plan }) {
  const places = placesOf(props.edges);
  return (
    <ul class="rates" aria-label="Edges">
      {props.edges.map((edge, i) => {
        const key = edgeKey(edge.from, edge.to, i);
        const line = props.plan.lines[key];
        const point = line && (places[i] === "own" ? line.label : line.stem);
        return point && <OneRate key={key} edge={edge} x={point.x} y={point.y} seen={places[i] !== "unseen"} />;
      })}
    </ul>
  );
}
