// What the columns of a view mean to the eye: names, measures, ranks, times.
import type { Cell, Column, View } from "../report";

export const isNumber = (column: Column | undefined) => column?.type === "int" || column?.type === "double";
export const toNumber = (cell: Cell | undefined) => (typeof cell === "number" ? cell : Number(cell ?? 0));
export const words = (name: string) => name.replaceAll("_", " ");

/** Indexes of the columns that only repeat the window, which the title shows. */
export function windowColumns(view: View): Set<number> {
  const repeated = view.columns.map((column, i) =>
    column.type === "timestamp" && view.rows.length > 0 &&
    view.rows.every((row) => row[i] !== null && (row[i] === view.window_start || row[i] === view.window_end)) ? i : -1);
  return new Set(repeated.filter((i) => i >= 0));
}

/** Every cell of a row for tests and assistive tools: bars show only some as text. */
export function rowData(view: View, row: Cell[]): string {
  return JSON.stringify(Object.fromEntries(view.columns.map((column, i) => [column.name, row[i] ?? null])));
}
