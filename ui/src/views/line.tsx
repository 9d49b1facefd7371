// Lines over time or numbers, and a single number with its course.
import { useMemo } from "preact/hooks";
import { signal, type Signal } from "@preact/signals";
import { Chart, extent, Sparkline, type Line } from "../chart";
import { cellText, full, short } from "../format";
import { toFigure } from "../history";
import type { View, ViewLine } from "../report";
import { SeriesTable } from "../seriestable";
import { rowData, words } from "./shape";

/** More lines than this cannot be told apart; the table has them all. */
const kLinesMax = 6;

const cursors = new Map<string, Signal<number | null>>();
function cursorOf(name: string): Signal<number | null> {
  const known = cursors.get(name) ?? signal<number | null>(null);
  cursors.set(name, known);
  return known;
}

/** Lines on one axis: every x of any of them, ascending, with null where a line has no point. */
export function aligned(lines: readonly ViewLine[]): { xs: number[]; lines: Line[] } {
  const [only] = lines;
  if (lines.length === 1 && only) {
    return { xs: only.points.map(([x]) => x), lines: [{ name: only.name, values: only.points.map(([, y]) => toFigure(y)) }] };
  }
  const xs = [...new Set(lines.flatMap((line) => line.points.map(([x]) => x)))].sort((a, b) => a - b);
  return {
    xs,
    lines: lines.map((line) => {
      let i = 0;
      const values = xs.map((x) => (line.points[i]?.[0] === x ? toFigure(line.points[i++]?.[1]) : null));
      // A downsampled line has a point where its own bucket had one: between two of its points it goes straight.
      return { name: line.name, values: bridged(xs, values) };
    }),
  };
}

/** Fills gaps between known values in a straight line. */
function bridged(xs: readonly number[], values: (number | null)[]): (number | null)[] {
  let last = -1;
  values.forEach((value, i) => {
    if (value === null) return;
    const from = last >= 0 ? (values[last] as number) : 0;
    for (let j = last + 1; last >= 0 && j < i; j++) {
      const share = ((xs[j] as number) - (xs[last] as number)) / ((xs[i] as number) - (xs[last] as number));
      values[j] = from + (value - from) * share;
    }
    last = i;
  });
  return values;
}

const isTime = (view: View) => view.columns.find((column) => column.name === view.x)?.type === "timestamp";

function timeText(xs: readonly number[]): (x: number) => string {
  const days = xs.length > 0 && (xs.at(-1) as number) - (xs[0] as number) > 36 * 3600 * 1000;
  const seconds = xs.length > 0 && (xs.at(-1) as number) - (xs[0] as number) < 3600 * 1000;
  return (x) => {
    const iso = new Date(x).toISOString();
    return days ? `${iso.slice(5, 10)} ${iso.slice(11, 16)}` : iso.slice(11, seconds ? 19 : 16);
  };
}

/** Numbers with the digits that tell those between `low` and `high` apart; large ones in short, where that still does. */
export function valueText(low: number, high: number): (y: number) => string {
  const size = Math.max(Math.abs(low), Math.abs(high));
  const span = high - low || size || 1;
  if (size >= 1e6 && span >= 0.1 * size) return short;
  const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(span / 500))));
  const format = new Intl.NumberFormat("en-US", { maximumFractionDigits: digits });
  return (y) => format.format(y);
}

const withUnit = (text: string, unit: string | undefined) => (unit ? `${text}\u202f${unit}` : text);

function useLines(view: View) {
  // The lines come anew with each report; that they are the same is known from their ends.
  const mark = (view.lines ?? []).map((line) => `${line.name}:${line.points.length}:${line.points[0]}:${line.points.at(-1)}`).join("|") + view.records;
  return useMemo(() => aligned((view.lines ?? []).slice(0, kLinesMax)), [mark]);
}

export function LineView(props: { view: View; asTable: boolean }) {
  const { view } = props;
  const { xs, lines } = useLines(view);
  const time = isTime(view);
  const xText = time ? timeText(xs) : (x: number) => full(x);
  const [low, high] = extent(lines.map((line) => line.values)) ?? [0, 1];
  const yTick = valueText(low, high);
  const yText = (y: number) => withUnit(yTick(y), view.unit);
  const more = (view.lines?.length ?? 0) - kLinesMax;
  return (
    <div data-testid="line-view" data-points={(view.lines ?? []).reduce((sum, line) => sum + line.points.length, 0)}>
      {props.asTable ? <SeriesTable caption={view.name} head={words(view.x ?? "")} xs={xs} lines={lines} xText={xText} yText={yText} />
        : <Chart label={view.name} xs={xs} lines={lines} cursor={cursorOf(view.name)} xText={xText} yText={yText} yTick={yTick} time={time} zero={view.unit === "%"} height={220} />}
      {more > 0 && <p class="note">and {more} more lines, in /api/v1/views</p>}
    </div>
  );
}

/** Four digits are enough at a glance; the title has all. */
const bigText = (value: number) => (Math.abs(value) < 10_000 ? full(Number(value.toPrecision(4))) : short(value));

export function NumberView(props: { view: View }) {
  const { view } = props;
  const row = view.rows[0] ?? [];
  const column = view.columns.findIndex((one) => one.name === view.y?.[0]);
  const value = row[column] ?? null;
  const { xs, lines } = useLines(view);
  const number = toFigure(value as number | string | null);
  return (
    <div class="number-view" data-testid="view-row" data-rank={0} data-row={rowData(view, row)}>
      <p class="big" data-value={value} title={cellText(value)}>
        {number === null ? cellText(value) : bigText(number)}{view.unit && <small>{"\u202f"}{view.unit}</small>}
      </p>
      {xs.length > 1 && lines[0] && <Sparkline xs={xs} values={lines[0].values} range={[xs[0] as number, xs.at(-1) as number]} cursor={null} height={48} />}
      <p class="unseen">{view.columns.map((one, i) => `${words(one.name)} ${cellText(row[i] ?? null)}`).join(", ")}</p>
    </div>
  );
}
