// A map of cells: where they are, and how much, as colour and in figures.
import { useMemo, useState } from "preact/hooks";
import { extent, useWidth } from "../chart";
import { cellText, full, short } from "../format";
import { toFigure } from "../history";
import type { Cell, View } from "../report";
import { words } from "./shape";

const kHeightMax = 420;
/** Cells are told apart by this many shades; the key shows them. */
const kShades = 6;

interface Spot { column: number; row: number; x: Cell; y: Cell; value: number }
interface Layout { spots: Spot[]; columns: Cell[]; rows: Cell[]; low: number; high: number }

/** Places along an axis: all whole numbers between the ends where that is not much emptier, else the values there are. */
function axisOf(cells: Cell[]): Cell[] {
  const distinct = [...new Set(cells)];
  const numbers = distinct.map((cell) => Number(cell));
  if (distinct.some((cell) => typeof cell !== "number")) return distinct.sort((a, b) => String(a).localeCompare(String(b), "en", { numeric: true }));
  const [low, high] = extent([numbers]) ?? [0, 0];
  const whole = numbers.every(Number.isInteger) && high - low < Math.max(24, 4 * distinct.length);
  return whole ? Array.from({ length: high - low + 1 }, (_, i) => low + i) : numbers.sort((a, b) => a - b);
}

function layoutOf(view: View): Layout {
  const at = (name: string | undefined) => view.columns.findIndex((column) => column.name === name);
  const [x, y, measure] = [at(view.x), at(view.y?.[0]), at(view.measure)];
  const columns = axisOf(view.rows.map((row) => row[x] ?? null));
  const rows = axisOf(view.rows.map((row) => row[y] ?? null)).reverse();
  const columnAt = new Map(columns.map((cell, i) => [cell, i]));
  const rowAt = new Map(rows.map((cell, i) => [cell, i]));
  const spots = view.rows.map((row) => ({
    column: columnAt.get(row[x] ?? null) ?? 0, row: rowAt.get(row[y] ?? null) ?? 0, x: row[x] ?? null, y: row[y] ?? null,
    value: toFigure(row[measure] as number) ?? 0,
  }));
  const [low, high] = extent([spots.map((spot) => spot.value)]) ?? [0, 0];
  return { spots, columns, rows, low: Math.min(0, low), high };
}

export function GridView(props: { view: View }) {
  const { view } = props;
  const { ref, width } = useWidth<HTMLDivElement>(400);
  const grid = useMemo(() => layoutOf(view), [view.records, view.window_end, view.rows.length]);
  const [chosen, setChosen] = useState<{ column: number; row: number } | null>(null);
  const size = Math.max(2, Math.min(48, (width - 2) / grid.columns.length, kHeightMax / grid.rows.length));
  const shade = (value: number) => Math.min(kShades - 1, Math.floor((kShades * (value - grid.low)) / (grid.high - grid.low || 1)));
  const spot = chosen && grid.spots.find((one) => one.column === chosen.column && one.row === chosen.row);
  const name = words(view.measure ?? "");
  const place = chosen ? `${words(view.x ?? "")} ${cellText(grid.columns[chosen.column] ?? null)}, ${words(view.y?.[0] ?? "")} ${cellText(grid.rows[chosen.row] ?? null)}` : "";
  const said = chosen ? `${place}: ${spot ? `${full(spot.value)} ${name}` : "nothing"}` : `${grid.spots.length} cells, ${name} up to ${full(grid.high)}`;
  const move = (event: KeyboardEvent) => {
    const step = ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as Record<string, [number, number]>)[event.key];
    if (!step) return;
    event.preventDefault();
    const from = chosen ?? { column: 0, row: 0 };
    setChosen({ column: Math.max(0, Math.min(grid.columns.length - 1, from.column + step[0])), row: Math.max(0, Math.min(grid.rows.length - 1, from.row + step[1])) });
  };
  const follow = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    setChosen({ column: Math.floor((event.clientX - box.left) / size), row: Math.floor((event.clientY - box.top) / size) });
  };
  return (
    <div class="grid-view" ref={ref} data-testid="grid-view" data-cells={grid.spots.length}>
      <p class="readout">{said}</p>
      <div class="plot" tabIndex={0} role="slider" aria-label={`${view.name}; arrow keys read it`} aria-valuemin={0} aria-valuemax={grid.columns.length * grid.rows.length - 1}
           aria-valuenow={chosen ? chosen.row * grid.columns.length + chosen.column : 0} aria-valuetext={said}
           style={{ width: `${size * grid.columns.length}px` }} onKeyDown={move} onBlur={() => setChosen(null)}>
        <svg width={size * grid.columns.length} height={size * grid.rows.length} aria-hidden="true" onPointerMove={follow} onPointerLeave={() => setChosen(null)}>
          {grid.spots.map((one) => (
            <rect key={`${one.column}/${one.row}`} class={`shade-${shade(one.value)}`} x={one.column * size + 0.5} y={one.row * size + 0.5} width={Math.max(1, size - 1)} height={Math.max(1, size - 1)} rx={size > 8 ? 2 : 0} />
          ))}
          {chosen && <rect class="chosen" x={chosen.column * size} y={chosen.row * size} width={size} height={size} />}
        </svg>
      </div>
      <p class="legend shades"><span>{short(grid.low)}</span>{Array.from({ length: kShades }, (_, i) => <i key={i} class={`key shade-${i}`} aria-hidden="true" />)}<span>{short(grid.high)} {name}</span></p>
    </div>
  );
}
