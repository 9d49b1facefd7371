// A live view in its card: a picture where its kind has one, and always a table.
import { useState } from "preact/hooks";
import { full, period, short } from "../format";
import { equalIn, memo } from "../memo";
import type { View } from "../report";
import { Alerts } from "./alerts";
import { GridView } from "./grid";
import { LineView, NumberView } from "./line";
import { MapView } from "./map";
import { windowColumns } from "./shape";
import { TableView } from "./table";
import { TopBars } from "./top";

const kPictures = new Set(["top", "alerts", "line", "number", "grid", "map"]);
const kKindEmpty: Record<string, string> = {
  alerts: "No alerts so far.",
  line: "No points yet.",
};

function Title(props: { view: View; id: string; asTable: boolean; setAsTable: (as: boolean) => void }) {
  const { view } = props;
  const shown = period(view.window_start, view.window_end);
  return (
    <header>
      <div>
        <h2 id={props.id}>{view.name}</h2>
        {shown && <p class="note" data-testid="window" data-start={view.window_start} data-end={view.window_end}>{shown}</p>}
      </div>
      {kPictures.has(view.kind) && view.rows.length > 0 && (
        <div class="tools"><button type="button" class="tool" aria-pressed={props.asTable} onClick={() => props.setAsTable(!props.asTable)} aria-label={`${view.name} as a table`}>Table</button></div>
      )}
    </header>
  );
}

function Picture(props: { view: View; asTable: boolean }) {
  const { view, asTable } = props;
  if (view.kind === "line") return <LineView view={view} asTable={asTable} />;
  if (asTable) return <TableView view={view} plain />;
  if (view.kind === "top") return <TopBars view={view} />;
  if (view.kind === "alerts") return <Alerts view={view} />;
  if (view.kind === "number") return <NumberView view={view} />;
  if (view.kind === "grid") return <GridView view={view} />;
  if (view.kind === "map") return <MapView view={view} />;
  return <TableView view={view} />;
}

/** From so many columns on a table gets the width of two. */
const kWideFrom = 5;

function Card(props: { view: View; index: number }) {
  const { view } = props;
  const [asTable, setAsTable] = useState(false);
  const kind = kPictures.has(view.kind) ? view.kind : "table";
  const wide = (kind === "table" || asTable) && view.columns.length - windowColumns(view).size >= kWideFrom;
  const id = `view-${props.index}`;
  const empty = view.rows.length === 0 && !view.lines?.some((line) => line.points.length > 0);
  return (
    <section class={`card view kind-${kind}${wide ? " wide" : ""}`} aria-labelledby={id} tabIndex={-1} data-testid="view" data-name={view.name} data-kind={view.kind} data-rows={view.rows.length}>
      <Title view={view} id={id} asTable={asTable} setAsTable={setAsTable} />
      {empty ? <p class="empty" data-testid="empty">{view.why_empty ?? kKindEmpty[view.kind] ?? "No rows yet: the first window is still open."}</p>
        : <Picture view={view} asTable={asTable} />}
      <footer class="note" data-testid="view-records" data-value={view.records} title={full(view.records)}>
        {short(view.records)} {view.records === 1 ? "record" : "records"} received
      </footer>
    </section>
  );
}

/** Drawn again only when it has received something: a view that waits costs nothing. */
export const ViewCard = memo<{ view: View; index: number }>(Card, (a, b) =>
  a.index === b.index && equalIn(a.view, b.view, ["name", "kind", "records", "window_start", "window_end", "why_empty"]) && a.view.rows.length === b.view.rows.length);
