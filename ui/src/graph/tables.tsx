// The numbers of the graph, exact and without a picture; drawn only while they are open.
import { useState } from "preact/hooks";
import { SortedTable, type Head } from "../sorted";
import { toFigure } from "../history";
import type { Num, Report } from "../report";

const text = (name: string): Head => ({ name, number: false });
const count = (name: string): Head => ({ name, number: true });

const kComponentHeads = [text("name"), text("kind"), count("tasks"), count("received"), count("processed"), count("filtered"), count("late"), count("dead"), count("results refused"), count("in flight"), count("emitted")];
const kEdgeHeads = [text("from"), text("to"), text("grouping"), count("records a second"), count("sent"), count("received"), count("queued")];

const rounded = (value: Num) => Math.round((toFigure(value) ?? 0) * 10) / 10;

export function Tables(props: { report: Report }) {
  const { components, edges } = props.report;
  const [open, setOpen] = useState(false);
  return (
    <details class="twin" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>All numbers as tables</summary>
      {open && (
        <div class="scroll" tabIndex={0} role="group" aria-label="Components and edges">
          <SortedTable caption="Components" heads={kComponentHeads} rows={components.map((c) =>
            [c.name, c.kind.replaceAll("_", " "), c.tasks, c.received, c.processed, c.filtered, c.late, c.dead_lettered, c.rows_refused ?? 0, c.in_flight, c.emitted])} />
          <SortedTable caption="Edges" heads={kEdgeHeads} rows={edges.map((e) =>
            [e.from, e.to, e.grouping, rounded(e.records_per_second), e.sent, e.received, e.queued])} />
        </div>
      )}
    </details>
  );
}
