// A ranking as bars that move to their places.
import { cellShort, cellText } from "../format";
import type { Cell, View } from "../report";
import { isNumber, rowData, toNumber, windowColumns, words } from "./shape";

/** A bar with more parts than this tells nothing. */
const kPartsMax = 4;

/** The column that holds the place in the ranking, which each bar shows by itself; -1: none. */
const rankOf = (view: View) => view.columns.findIndex((column) => column.name === "rank" && column.type === "int");

/** The column a ranking is by: the first number that never rises from row to row, else the last number; -1: none. */
export function measureOf(view: View): number {
  const rank = rankOf(view);
  const numbers = view.columns.map((column, i) => (isNumber(column) && i !== rank ? i : -1)).filter((i) => i >= 0);
  const falls = (i: number) => view.rows.every((row, r) => r === 0 || toNumber(row[i]) <= toNumber(view.rows[r - 1]?.[i]));
  return numbers.find(falls) ?? numbers.at(-1) ?? -1;
}

/** True when the columns are parts of the measure: whole numbers that add up to it in every row. */
function addUp(view: View, parts: number[], measure: number): boolean {
  return parts.length >= 2 && parts.length <= kPartsMax && parts.every((i) => view.columns[i]?.type === "int") &&
    view.rows.every((row) => parts.every((i) => toNumber(row[i]) >= 0) &&
      parts.reduce((sum, i) => sum + toNumber(row[i]), 0) === toNumber(row[measure]));
}

/** Which columns of a ranking are drawn how. */
function topShape(view: View) {
  const hidden = windowColumns(view);
  const rank = rankOf(view);
  const measure = measureOf(view);
  const others = view.columns.map((_, i) => i).filter((i) => i !== rank && i !== measure && !hidden.has(i));
  const names = others.filter((i) => !isNumber(view.columns[i]));
  const label = names.length > 0 ? names : others;
  const rest = others.filter((i) => !label.includes(i));
  return { rank, measure, label, rest, stacked: addUp(view, rest, measure) };
}

function Legend(props: { view: View; parts: number[]; measure: number }) {
  const name = (i: number) => words(props.view.columns[i]?.name ?? "");
  return (
    <p class="legend" data-testid="legend">
      <span>{name(props.measure)}:</span>
      {props.parts.map((i, part) => <span><i class={`key part-${part}`} aria-hidden="true" />{name(i)}</span>)}
    </p>
  );
}

/** The bar of a row: one piece, or its parts side by side. */
function Fill(props: { view: View; row: Cell[]; parts: number[]; share: number }) {
  const { view, row, parts } = props;
  if (parts.length === 0) return <i class="fill" aria-hidden="true" style={{ transform: `scaleX(${props.share.toFixed(4)})` }} />;
  return (
    <span class="stack" aria-hidden="true" style={{ width: `${(100 * props.share).toFixed(2)}%` }}>
      {parts.map((i, part) => toNumber(row[i]) > 0 && (
        <i
          key={i}
          class={`part part-${part}`}
          data-value={row[i]}
          title={`${words(view.columns[i]?.name ?? "")} ${cellText(row[i] ?? null)}`}
          style={{ flexGrow: toNumber(row[i]) }}
        />
      ))}
    </span>
  );
}

export function TopBars(props: { view: View }) {
  const { view } = props;
  const { rank: rankColumn, measure, label, rest, stacked } = topShape(view);
  const most = Math.max(0, ...view.rows.map((row) => toNumber(row[measure])));
  const seen = new Map<string, number>();
  const rows = view.rows.map((row, rank) => {
    const text = label.map((i) => cellShort(row[i] ?? null)).join(" \u00b7 ");
    const times = seen.get(text) ?? 0;
    seen.set(text, times + 1);
    return { row, rank, text, key: `${text}\u0000${times}` };
  });
  // In the order of their names, so that a change of ranks moves no element: only then do the moves animate.
  rows.sort((a, b) => (a.key < b.key ? -1 : 1));
  return (
    <>
      {stacked && <Legend view={view} parts={rest} measure={measure} />}
      <ol class={`bars${stacked ? " stacked" : rest.length > 0 ? " tall" : ""}`} style={{ height: `calc(${view.rows.length} * var(--bar))` }}>
        {rows.map(({ row, rank, text, key }) => {
          const value = row[measure] ?? null;
          const share = most > 0 ? Math.max(0, toNumber(value)) / most : 0;
          const more = rest.map((i) => `${words(view.columns[i]?.name ?? "")} ${cellShort(row[i] ?? null)}`).join(", ");
          return (
            <li
              key={key}
              data-testid="view-row"
              data-rank={rank}
              data-row={rowData(view, row)}
              aria-posinset={rank + 1}
              aria-setsize={view.rows.length}
              title={stacked ? `${text}: ${more}` : undefined}
              style={{ transform: `translateY(calc(${rank} * var(--bar)))` }}
            >
              <Fill view={view} row={row} parts={stacked ? rest : []} share={share} />
              <span class="rank">{rankColumn >= 0 ? cellText(row[rankColumn] ?? null) : rank + 1}</span>
              <span class="label" title={stacked ? `${text}: ${more}` : text}>{text}</span>
              {measure >= 0 && (
                <span class="number" data-value={value} title={`${cellText(value)} ${words(view.columns[measure]?.name ?? "")}`}>{cellShort(value)}</span>
              )}
              {rest.length > 0 && <span class={stacked ? "unseen" : "extra"} title={more}>{more}</span>}
            </li>
          );
        })}
      </ol>
    </>
  );
}

