// The live views: ranked bars for "top", a table, and a list of alerts.
import { cellText, clock, day, full, period, short } from "./format";
import type { Cell, Column, View } from "./report";

/** More rows than this are counted, not drawn; the interface has them all. */
const kTableRowsMax = 200;
const kAlertRowsMax = 100;
/** A bar with more parts than this tells nothing. */
const kPartsMax = 4;

const isNumber = (column: Column) => column.type === "int" || column.type === "double";
const toNumber = (cell: Cell | undefined) => (typeof cell === "number" ? cell : Number(cell ?? 0));

/** Indexes of the columns that only repeat the window, which the title shows. */
function windowColumns(view: View): Set<number> {
  const repeated = view.columns.map((column, i) =>
    column.type === "timestamp" && view.rows.length > 0 &&
    view.rows.every((row) => row[i] !== null && (row[i] === view.window_start || row[i] === view.window_end)) ? i : -1);
  return new Set(repeated.filter((i) => i >= 0));
}

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

function Title(props: { view: View; id: string }) {
  const { view } = props;
  const shown = period(view.window_start, view.window_end);
  return (
    <header>
      <h2 id={props.id}>{view.name}</h2>
      {shown && <p class="note" data-testid="window" data-start={view.window_start} data-end={view.window_end}>{shown}</p>}
    </header>
  );
}

const Empty = (props: { text: string }) => <p class="empty">{props.text}</p>;

/** Every cell of a row for tests and assistive tools: bars show only some as text. */
function rowData(view: View, row: Cell[]): string {
  return JSON.stringify(Object.fromEntries(view.columns.map((column, i) => [column.name, row[i] ?? null])));
}

const words = (name: string) => name.replaceAll("_", " ");

/** Which columns of a ranking are drawn how. */
function topShape(view: View) {
  const hidden = windowColumns(view);
  const rank = rankOf(view);
  const measure = measureOf(view);
  const others = view.columns.map((_, i) => i).filter((i) => i !== rank && i !== measure && !hidden.has(i));
  const names = others.filter((i) => !isNumber(view.columns[i] as Column));
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

function TopBars(props: { view: View }) {
  const { view } = props;
  const { rank: rankColumn, measure, label, rest, stacked } = topShape(view);
  const most = Math.max(0, ...view.rows.map((row) => toNumber(row[measure])));
  const seen = new Map<string, number>();
  const rows = view.rows.map((row, rank) => {
    const text = label.map((i) => cellText(row[i] ?? null)).join(" \u00b7 ");
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
          const more = rest.map((i) => `${words(view.columns[i]?.name ?? "")} ${cellText(row[i] ?? null)}`).join(", ");
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
                <span class="number" data-value={value} title={`${cellText(value)} ${words(view.columns[measure]?.name ?? "")}`}>{cellText(value)}</span>
              )}
              {rest.length > 0 && <span class={stacked ? "unseen" : "extra"} title={more}>{more}</span>}
            </li>
          );
        })}
      </ol>
    </>
  );
}

/** The numbers of a row as parts of one bar, scaled to the largest row. */
function Parts(props: { parts: number[]; most: number }) {
  const total = props.parts.reduce((sum, part) => sum + part, 0);
  return (
    <span class="parts" aria-hidden="true" style={{ width: `${props.most > 0 ? (100 * total) / props.most : 0}%` }}>
      {props.parts.map((part, i) => <i class={`part part-${i}`} style={{ flexGrow: part }} />)}
    </span>
  );
}

function Table(props: { view: View }) {
  const { view } = props;
  const hidden = windowColumns(view);
  const shown = view.columns.map((_, i) => i).filter((i) => !hidden.has(i));
  const numbers = shown.filter((i) => isNumber(view.columns[i] as Column));
  const rows = view.rows.slice(0, kTableRowsMax);
  const positive = (row: Cell[]) => numbers.map((i) => Math.max(0, toNumber(row[i])));
  // Parts of a whole can be drawn as one bar; a column that is the sum of the others must not count twice.
  const drawn = numbers.length >= 1 && numbers.length <= 4 && numbers.every((i) => view.columns[i]?.type === "int");
  const most = Math.max(0, ...rows.map((row) => positive(row).reduce((sum, part) => sum + part, 0)));
  const first = shown[0];
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={`Rows of ${view.name}`}>
      <table>
        <thead>
          <tr>
            {shown.map((i) => (
              <th scope="col" class={numbers.includes(i) ? "num" : ""}>
                {drawn && numbers.length > 1 && numbers.includes(i) && <i class={`key part-${numbers.indexOf(i)}`} aria-hidden="true" />}
                {words((view.columns[i] as Column).name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, rank) => (
            <tr data-testid="view-row" data-rank={rank} data-row={rowData(view, row)}>
              {shown.map((i) => (
                <td class={numbers.includes(i) ? "num" : ""} data-value={String(row[i] ?? "")}>
                  {cellText(row[i] ?? null)}
                  {drawn && i === first && <Parts parts={positive(row)} most={most} />}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {view.rows.length > rows.length && <p class="note">and {full(view.rows.length - rows.length)} more rows</p>}
    </div>
  );
}

function Alerts(props: { view: View }) {
  const { view } = props;
  const time = view.columns.findIndex((column) => column.type === "timestamp");
  const texts = view.columns.map((column, i) => (column.type === "string" ? i : -1)).filter((i) => i >= 0);
  const others = view.columns.map((_, i) => i).filter((i) => i !== time && !texts.includes(i));
  const [main, ...more] = texts;
  const rows = view.rows.slice(0, kAlertRowsMax);
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={`Alerts of ${view.name}`}>
      <ol class="alerts">
        {rows.map((row, rank) => {
          const at = time >= 0 ? String(row[time] ?? "") : "";
          return (
            <li key={view.rows.length - rank + rowData(view, row)} data-testid="view-row" data-rank={rank} data-row={rowData(view, row)}>
              {at && <time dateTime={at} title={at}>{clock(at)}<small>{day(at)}</small></time>}
              <div>
                <p class="what">{main === undefined ? "" : cellText(row[main] ?? null)}</p>
                <p class="note">
                  {more.map((i) => <span title={view.columns[i]?.name}>{cellText(row[i] ?? null)}</span>)}
                  {others.map((i) => (
                    <span>{words((view.columns[i] as Column).name)} <b>{cellText(row[i] ?? null)}</b></span>
                  ))}
                </p>
              </div>
            </li>
          );
        })}
      </ol>
      {view.rows.length > rows.length && <p class="note">and {full(view.rows.length - rows.length)} older ones</p>}
    </div>
  );
}

export function ViewCard(props: { view: View; index: number }) {
  const { view } = props;
  const id = `view-${props.index}`;
  const kind = view.kind === "top" || view.kind === "alerts" ? view.kind : "table";
  return (
    <section class={`card view ${kind}`} aria-labelledby={id} data-testid="view" data-name={view.name} data-kind={view.kind} data-rows={view.rows.length}>
      <Title view={view} id={id} />
      {view.rows.length === 0 ? <Empty text={kind === "alerts" ? "No alerts so far." : "No rows yet: the first window is still open."} />
        : kind === "top" ? <TopBars view={view} /> : kind === "alerts" ? <Alerts view={view} /> : <Table view={view} />}
      <footer class="note" data-testid="view-records" data-value={view.records} title={full(view.records)}>
        {short(view.records)} {view.records === 1 ? "record" : "records"} received
      </footer>
    </section>
  );
}
