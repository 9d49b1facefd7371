// A view as a table: also the twin of every picture.
import { full } from "../format";
import type { Cell, View } from "../report";
import { SortedTable } from "../sorted";
import { isNumber, rowData, toNumber, windowColumns, words } from "./shape";

/** More rows than this are counted, not drawn; the interface has them all. */
const kRowsMax = 200;
/** A bar with more parts than this tells nothing. */
const kPartsMax = 4;

/** The numbers of a row as parts of one bar, scaled to the largest row. */
function Parts(props: { parts: number[]; most: number }) {
  const total = props.parts.reduce((sum, part) => sum + part, 0);
  return (
    <span class="parts" aria-hidden="true" style={{ width: `${props.most > 0 ? (100 * total) / props.most : 0}%` }}>
      {props.parts.map((part, i) => <i key={i} class={`part part-${i}`} style={{ flexGrow: part }} />)}
    </span>
  );
}

/** `plain`: figures alone, without bars. */
export function TableView(props: { view: View; plain?: boolean }) {
  const { view } = props;
  const hidden = windowColumns(view);
  const shown = view.columns.map((_, i) => i).filter((i) => !hidden.has(i));
  const numbers = shown.filter((i) => isNumber(view.columns[i]));
  const rows = view.rows.slice(0, kRowsMax);
  const positive = (row: Cell[]) => numbers.map((i) => Math.max(0, toNumber(row[i])));
  // Parts of a whole can be drawn as one bar; real numbers are measures, not parts.
  const drawn = !props.plain && numbers.length >= 1 && numbers.length <= kPartsMax && numbers.every((i) => view.columns[i]?.type === "int");
  const most = Math.max(0, ...rows.map((row) => positive(row).reduce((sum, part) => sum + part, 0)));
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={`Rows of ${view.name}`}>
      <SortedTable
        caption={view.name} captionSeen={false}
        heads={shown.map((i) => ({
          name: words(view.columns[i]?.name ?? ""), number: numbers.includes(i), time: view.columns[i]?.type === "timestamp",
          sign: drawn && numbers.length > 1 && numbers.includes(i) ? <i class={`key part-${numbers.indexOf(i)}`} aria-hidden="true" /> : null,
        }))}
        rows={rows.map((row) => shown.map((i) => row[i] ?? null))}
        rowProps={(r) => ({ "data-testid": "view-row", "data-rank": r, "data-row": rowData(view, rows[r] ?? []) })}
        extra={(r, column) => drawn && column === 0 && <Parts parts={positive(rows[r] ?? [])} most={most} />}
      />
      {view.rows.length > rows.length && <p class="note">and {full(view.rows.length - rows.length)} more rows</p>}
    </div>
  );
}
