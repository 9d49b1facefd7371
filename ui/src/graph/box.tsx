// A component as a box: its name, its kind, how busy it is and whether something is wrong with it.
import { full, percent, short } from "../format";
import { hint } from "../hint";
import { toFigure } from "../history";
import { equalIn, memo } from "../memo";
import type { Component, Edge } from "../report";
import type { Box } from "./layout";
import { partialMatches, roughly } from "./figures";
import { placed } from "./viewport";

/** A kind as a word to read; a name that says it already is not repeated. */
export function kindText(component: Component, last: boolean): string {
  const kind = component.kind.replaceAll("_", " ");
  if (last && kind !== "view" && kind !== "sink") return `${kind} sink`;
  return kind === component.name ? "operator" : kind;
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

const tellAll = (c: Component) =>
  `${c.name} (${c.kind}, ${c.tasks} ${c.tasks === 1 ? "task" : "tasks"}): received ${full(c.received)}, processed ${full(c.processed)}, ` +
  `filtered ${full(c.filtered)}, late ${full(c.late)}, dead letters ${full(c.dead_lettered)}, in flight ${full(c.in_flight)}, emitted ${full(c.emitted)}`;

/** Busy and blocked time side by side: solid and hatched. */
export function Meter(props: { busy: number; blocked: number }) {
  return (
    <span class="meter" aria-hidden="true">
      <i class="is-busy" style={{ width: percentOf(props.busy) }} />
      <i class="is-blocked" style={{ width: percentOf(Math.min(props.blocked, 1 - props.busy)) }} />
    </span>
  );
}
const percentOf = (share: number) => `${(100 * Math.max(0, Math.min(1, share))).toFixed(1)}%`;

export interface BoxProps {
  component: Component;
  box: Box | null;
  last: boolean;
  /** Who reads from it, where no lines are drawn. */
  readers: string;
  selected: boolean;
  /** Whether Tab leads to it; the arrow keys go on from there. */
  active: boolean;
  /** The severity of what is wrong with it, or "". */
  mark: string;
  found: boolean;
  onOpen: (name: string) => void;
}

function Drawn(props: BoxProps) {
  const { component: c, box } = props;
  const tasks = Math.max(1, c.tasks);
  const busy = (toFigure(c.busy_share) ?? 0) / tasks;
  const blocked = toFigure(c.blocked_share) ?? 0;
  const partial = partialMatches(c);
  return (
    <li
      data-testid="component" data-node={c.name} data-name={c.name} data-received={c.received} data-emitted={c.emitted}
      class={`node${props.mark ? ` ${props.mark}` : ""}${props.found ? "" : " faded"}`}
      style={box ? placed(box) : {}}
    >
      <button
        type="button" class="box" onPointerEnter={hint(() => tellAll(c))} aria-pressed={props.selected} tabIndex={props.active ? 0 : -1}
        data-heat={busy >= 0.9 ? "hot" : busy >= 0.5 ? "warm" : undefined}
        onClick={() => props.onOpen(c.name)}
      >
        <span class="box-head"><b>{c.name}</b>{props.mark && <span class="unseen">, {props.mark}</span>}</span>
        <span class="box-foot">
          {c.late === 0 && c.dead_lettered === 0 && partial === null && <span>{kindText(c, props.last)}{c.tasks > 1 ? ` \u00d7${c.tasks}` : ""}</span>}
          {partial !== null && <span data-testid="partial-matches" data-value={partial} title={`${full(partial)} partial matches are kept`}>{roughly(partial)} partial</span>}
          <Trouble component={c} />
          <span class="busy" data-testid="busy" data-value={c.busy_share} >{percent(c.busy_share)}</span>
        </span>
        {props.readers && <span class="readers">{props.readers}</span>}
        <Meter busy={busy} blocked={blocked} />
      </button>
    </li>
  );
}

const kShown = ["name", "kind", "tasks", "received", "emitted", "processed", "late", "dead_lettered", "busy_share", "blocked_share"] as const;

export const ComponentBox = memo<BoxProps>(Drawn, (a, b) =>
  equalIn(a, b, ["box", "last", "readers", "selected", "active", "mark", "found"]) && equalIn(a.component, b.component, kShown) &&
  partialMatches(a.component) === partialMatches(b.component));

/** "220 /s to articles, oracle counts": what the lines of the graph say, in words. */
export function readersOf(component: Component, edges: Edge[]): string {
  const out = edges.filter((edge) => edge.from === component.name);
  const rates = [...new Set(out.map((edge) => edge.records_per_second))];
  return rates.map((rate) => `${short(rate)}\u202f/s to ${out.filter((e) => e.records_per_second === rate).map((e) => e.to).join(", ")}`).join("; ");
}
