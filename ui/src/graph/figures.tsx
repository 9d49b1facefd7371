// What a component counts beside its records: what it keeps, and the metrics of its own code.
import { full, kGap, micros, short } from "../format";
import { toFigure } from "../history";
import type { Component, Figure, Num } from "../report";

/** What the engine itself tells, and what to do about it. */
const kHelp: Record<string, string> = {
  partial_matches: "Begun matches of the pattern that may still be completed. A record is compared with all of its key.",
  keys_with_partial_matches: "Keys that have begun matches.",
  waiting_matches: "Whole matches that wait until those that began before them are decided.",
  left_records: "Records of the left side that are kept in memory to meet others; of a table its rows. Those of keys on disk are not counted.",
  right_records: "Records of the right side that are kept in memory to meet others; of a table its rows. Those of keys on disk are not counted.",
};

const words = (name: string) => name.replaceAll("_", " ");

function valueOf(figure: Figure) {
  const { kind, p50, p99 } = figure;
  if (kind !== "histogram" && kind !== "timer") return <>{full(figure.value)}</>;
  const text = (value: Num | null | undefined) => (value === null || value === undefined ? "\u2013" : kind === "timer" ? micros(value) : full(value));
  return <>{text(p50)} <small>p50</small> {text(p99)} <small>p99</small></>;
}

/** Absent where there are none. */
export function Figures(props: { component: Component }) {
  const figures = props.component.metrics ?? [];
  if (figures.length === 0) return null;
  return (
    <>
      <h3>What it counts</h3>
      <dl class="counts wide" data-testid="figures">
        {figures.map((one) => (
          <div key={one.name} data-testid="figure" data-name={one.name} data-value={one.value} title={kHelp[one.name]}>
            <dt>{words(one.name)}</dt><dd>{valueOf(one)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** A box has room for two digits: 1,200, 11 k, 100 k. */
export function roughly(value: Num): string {
  const exact = toFigure(value);
  if (exact === null) return full(value);
  const [number, unit] = short(Number(exact.toPrecision(2))).split(kGap);
  return unit === undefined ? number ?? "" : `${Number(number)}${kGap}${unit}`;
}

/** From so many on the box of a pattern says how many partial matches are kept. */
const kPartialFrom = 1000;

/** Partial matches to show at a pattern's box; null: few, or it is none. */
export function partialMatches(component: Component): Num | null {
  if (component.kind !== "match") return null;
  const found = component.metrics?.find((one) => one.name === "partial_matches")?.value;
  return found !== undefined && (toFigure(found) ?? 0) >= kPartialFrom ? found : null;
}
