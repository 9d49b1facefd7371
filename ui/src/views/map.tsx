// A map of what moves: the newest place of each thing, the way it came, and areas below.
import { useMemo, useRef, useState } from "preact/hooks";
import { extent, ticks, useWidth } from "../chart";
import { cellText, full, short } from "../format";
import { toFigure } from "../history";
import type { Cell, View } from "../report";
import { words } from "./shape";

const kHeightMax = 460;
/** Things are told apart by this many shades of their measure; the key shows them. */
const kShades = 6;
/** Of the way of a thing so many places are kept, and only while the page is open. */
const kTrailMax = 24;
/** From so many things on their names stand only where one is chosen. */
const kNamedMax = 40;
const kKmOfDegree = 111.195;

interface Spot { name: string; latitude: number; longitude: number; value: number | null }
/** West, east, south, north. */
type Bounds = [number, number, number, number];

function spotsOf(view: View): Spot[] {
  const at = (name: string | undefined) => view.columns.findIndex((column) => column.name === name);
  const [x, y, series, measure] = [at(view.x), at(view.y?.[0]), at(view.series), at(view.measure)];
  const figure = (cell: Cell | undefined) => (typeof cell === "number" ? cell : null);
  return view.rows.flatMap((row) => {
    const [latitude, longitude] = [figure(row[y]), figure(row[x])];
    if (latitude === null || longitude === null) return [];
    return [{ name: cellText(row[series] ?? null), latitude, longitude, value: measure < 0 ? null : toFigure(row[measure] as number) }];
  });
}

/** What holds all places and areas, and what was shown before: it grows and never jumps. */
function boundsOf(spots: Spot[], areas: [number, number][][], before: Bounds | null): Bounds | null {
  const corners = areas.flat();
  const latitudes = [...spots.map((spot) => spot.latitude), ...corners.map((corner) => corner[0])];
  const longitudes = [...spots.map((spot) => spot.longitude), ...corners.map((corner) => corner[1])];
  const [east, north] = [extent([longitudes]), extent([latitudes])];
  if (!east || !north) return before;
  const pad = 0.04 * Math.max(east[1] - east[0], north[1] - north[0], 0.02);
  if (before && east[0] >= before[0] && east[1] <= before[1] && north[0] >= before[2] && north[1] <= before[3]) return before;
  const all: Bounds = [east[0] - pad, east[1] + pad, north[0] - pad, north[1] + pad];
  return before ? [Math.min(all[0], before[0]), Math.max(all[1], before[1]), Math.min(all[2], before[2]), Math.max(all[3], before[3])] : all;
}

/** Where degrees lie in pixels: east is narrower the farther from the equator the middle is. */
function projection(bounds: Bounds, width: number) {
  const [west, east, south, north] = bounds;
  const narrow = Math.max(0.05, Math.cos(((south + north) / 2) * (Math.PI / 180)));
  const scale = Math.min(width / ((east - west) * narrow), kHeightMax / (north - south));
  const left = (width - (east - west) * narrow * scale) / 2;
  return {
    height: Math.max(80, (north - south) * scale), perKm: scale / kKmOfDegree,
    x: (longitude: number) => left + (longitude - west) * narrow * scale,
    y: (latitude: number) => (north - latitude) * scale,
  };
}
type Projection = ReturnType<typeof projection>;

function Ground(props: { on: Projection; bounds: Bounds; width: number; areas: [number, number][][] }) {
  const { on, bounds, width } = props;
  const path = (corners: [number, number][]) => corners.map(([latitude, longitude], i) => `${i === 0 ? "M" : "L"}${on.x(longitude).toFixed(1)} ${on.y(latitude).toFixed(1)}`).join("") + "Z";
  const most = width / 4 / on.perKm;
  const power = 10 ** Math.floor(Math.log10(most));
  const km = power * ([5, 2].find((factor) => factor * power <= most) ?? 1);
  return (
    <g>
      {ticks(bounds[0], bounds[1], 6).map((tick) => (
        <g key={`x${tick}`}><line class="rule" x1={on.x(tick)} x2={on.x(tick)} y1={0} y2={on.height} /><text class="tick" x={on.x(tick) + 3} y={on.height - 4}>{tick}°</text></g>
      ))}
      {ticks(bounds[2], bounds[3], 5).map((tick) => (
        <g key={`y${tick}`}><line class="rule" x1={0} x2={width} y1={on.y(tick)} y2={on.y(tick)} /><text class="tick" x={3} y={on.y(tick) - 3}>{tick}°</text></g>
      ))}
      {props.areas.map((area, i) => <path key={i} class="area" d={path(area)} />)}
      <path class="scale" d={`M${width - 12 - km * on.perKm} 14v4h${km * on.perKm}v-4`} />
      <text class="tick" x={width - 12} y={11} text-anchor="end">{short(km)} km</text>
    </g>
  );
}

/** Where each thing has been since the page was opened. */
function useTrails(spots: Spot[], records: unknown): Map<string, [number, number][]> {
  const kept = useRef(new Map<string, [number, number][]>());
  return useMemo(() => {
    for (const spot of spots) {
      const trail = kept.current.get(spot.name) ?? [];
      const newest = trail.at(-1);
      if (!newest || newest[0] !== spot.latitude || newest[1] !== spot.longitude) trail.push([spot.latitude, spot.longitude]);
      kept.current.set(spot.name, trail.slice(-kTrailMax));
    }
    const there = new Set(spots.map((spot) => spot.name));
    for (const name of kept.current.keys()) if (!there.has(name)) kept.current.delete(name);
    return kept.current;
  }, [records]);
}

export function MapView(props: { view: View }) {
  const { view } = props;
  const { ref, width } = useWidth<HTMLDivElement>(400);
  const areas = view.areas ?? [];
  const spots = useMemo(() => spotsOf(view), [view.records, view.rows.length]);
  const trails = useTrails(spots, view.records);
  const shown = useRef<Bounds | null>(null);
  shown.current = boundsOf(spots, areas, shown.current);
  const [chosen, setChosen] = useState<string | null>(null);
  if (!shown.current) return <p class="empty">No row has had a place so far.</p>;
  const on = projection(shown.current, width);
  const [low, high] = extent([spots.map((spot) => spot.value)]) ?? [0, 0];
  const shade = (value: number | null) => (value === null ? "" : `shade-${Math.min(kShades - 1, Math.floor((kShades * (value - low)) / (high - low || 1)))}`);
  const measure = words(view.measure ?? "");
  const spot = spots.find((one) => one.name === chosen);
  const said = spot
    ? `${spot.name}: ${spot.latitude.toFixed(4)}, ${spot.longitude.toFixed(4)}${spot.value === null ? "" : `, ${measure} ${full(spot.value)}${view.unit ? ` ${view.unit}` : ""}`}`
    : `${full(spots.length)} ${words(view.series ?? "")}${spots.length > 0 && spots[0]?.value !== null ? `, ${measure} ${short(low)} to ${short(high)}` : ""}`;
  const names = spots.map((one) => one.name).sort();
  const move = (event: KeyboardEvent) => {
    const step = ({ ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 } as Record<string, number>)[event.key];
    if (!step || names.length === 0) return;
    event.preventDefault();
    const from = chosen === null ? (step > 0 ? -1 : 0) : names.indexOf(chosen);
    setChosen(names[(from + step + names.length) % names.length] ?? null);
  };
  const follow = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const away = (one: Spot) => Math.hypot(on.x(one.longitude) - x, on.y(one.latitude) - y);
    const nearest = spots.reduce<Spot | null>((best, one) => (!best || away(one) < away(best) ? one : best), null);
    setChosen(nearest && away(nearest) < 24 ? nearest.name : null);
  };
  const beside = (x: number) => (x > width - 80 ? { x: -7, "text-anchor": "end" as const } : { x: 7 });
  const way = (name: string) => (trails.get(name) ?? []).map(([latitude, longitude], i) => `${i === 0 ? "M" : "L"}${on.x(longitude).toFixed(1)} ${on.y(latitude).toFixed(1)}`).join("");
  return (
    <div class="map-view" ref={ref} data-testid="map-view" data-places={spots.length} data-areas={areas.length}>
      <p class="readout">{said}</p>
      <div class="plot" tabIndex={0} role="slider" aria-label={`${view.name}; arrow keys go from one to the next`} aria-valuemin={0} aria-valuemax={Math.max(0, names.length - 1)}
           aria-valuenow={chosen === null ? 0 : Math.max(0, names.indexOf(chosen))} aria-valuetext={said} onKeyDown={move} onBlur={() => setChosen(null)}>
        <svg width={width} height={on.height} aria-hidden="true" onPointerMove={follow} onPointerLeave={() => setChosen(null)}>
          <Ground on={on} bounds={shown.current} width={width} areas={areas} />
          {spots.map((one) => <path key={`way ${one.name}`} class="way" d={way(one.name)} />)}
          {spots.map((one) => (
            <g key={one.name} transform={`translate(${on.x(one.longitude).toFixed(1)} ${on.y(one.latitude).toFixed(1)})`}>
              <circle class={`place ${shade(one.value)}${one.name === chosen ? " chosen" : ""}`} r={one.name === chosen ? 6 : 4} />
              {(spots.length < kNamedMax || one.name === chosen) && <text class="tick" {...beside(on.x(one.longitude))} y={4}>{one.name}</text>}
            </g>
          ))}
        </svg>
      </div>
      {low < high && <p class="legend shades"><span>{short(low)}</span>{Array.from({ length: kShades }, (_, i) => <i key={i} class={`key shade-${i}`} aria-hidden="true" />)}<span>{short(high)} {measure}</span></p>}
    </div>
  );
}
