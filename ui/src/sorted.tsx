// A table that sorts by the column whose head is pressed.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { cellShort, cellText } from "./format";
import type { Cell } from "./report";

export interface Head {
  name: string;
  number: boolean;
  /** ISO 8601 in UTC, shown for people. */
  time?: boolean;
  /** Shown before the name. */
  sign?: ComponentChildren;
}

export interface SortedTableProps {
  caption: string;
  heads: Head[];
  rows: Cell[][];
  /** Attributes of the row that was at this place before sorting. */
  rowProps?: (index: number) => Record<string, string | number>;
  /** What stands in a cell besides its text. */
  extra?: (index: number, column: number) => ComponentChildren;
  captionSeen?: boolean;
}

/** "2015-09-12 06:00:00", to the second: the exact text is at hand as a title. */
const readable = (cell: Cell) => cellText(cell).replace("T", " ").replace(/(\.\d+)?Z$/, "");

const compare = (a: Cell, b: Cell, number: boolean) => {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return number ? Number(a) - Number(b) : String(a).localeCompare(String(b), "en", { numeric: true });
};

/** Rows come in the order given; pressing a head sorts up, then down, then as given again. Numbers go down first. */
export function SortedTable(props: SortedTableProps) {
  const { heads, rows } = props;
  const [by, setBy] = useState<{ column: number; up: boolean } | null>(null);
  const press = (column: number) => {
    const firstUp = !heads[column]?.number;
    if (by?.column !== column) setBy({ column, up: firstUp });
    else setBy(by.up === firstUp ? { column, up: !firstUp } : null);
  };
  const order = rows.map((_, i) => i);
  if (by) {
    const number = heads[by.column]?.number ?? false;
    order.sort((a, b) => (by.up ? 1 : -1) * compare(rows[a]?.[by.column] ?? null, rows[b]?.[by.column] ?? null, number) || a - b);
  }
  return (
    <table>
      <caption class={props.captionSeen === false ? "unseen" : ""}>{props.caption}</caption>
      <thead>
        <tr>
          {heads.map((head, i) => (
            <th scope="col" class={head.number ? "num" : ""} key={i} aria-sort={by?.column === i ? (by.up ? "ascending" : "descending") : "none"}>
              <button type="button" onClick={() => press(i)} title={`Sort by ${head.name}`}>
                {head.sign}{head.name}<span class="arrow-mark" aria-hidden="true">{by?.column === i ? (by.up ? "\u2191" : "\u2193") : ""}</span>
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {order.map((r) => (
          <tr key={r} {...props.rowProps?.(r)}>
            {heads.map((head, i) => {
              const cell = rows[r]?.[i] ?? null;
              return <td class={head.number ? "num" : head.time ? "time" : ""} key={i} data-value={String(cell ?? "")} title={head.time || head.number ? cellText(cell) : undefined}>{head.time ? readable(cell) : cellShort(cell)}{props.extra?.(r, i)}</td>;
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
