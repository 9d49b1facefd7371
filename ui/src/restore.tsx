// How far a run has come with the checkpoint that it goes on from, before it runs.
import { bytes, span } from "./format";
import { toFigure } from "./history";
import type { Report } from "./report";

/** Absent where nothing is restored. */
export function RestorePanel(props: { report: Report }) {
  const { restore } = props.report;
  if (!restore) return null;
  const all = toFigure(restore.bytes_all) ?? 0;
  const read = toFigure(restore.bytes) ?? 0;
  return (
    <section class="card restore" aria-labelledby="restore-title" data-testid="restore">
      <header><h2 id="restore-title">Restoring</h2></header>
      <progress max={all} value={read} aria-label="Bytes of the checkpoint that are read" data-testid="restore-bar" />
      <p><span data-testid="restore-read">{bytes(read)} of {bytes(all)} are read</span>, <span data-testid="restore-left" data-value={restore.left_ms}>{span(restore.left_ms)} left</span></p>
      <p class="help">The run goes on from its newest complete checkpoint; nothing is read from its sources before that is in memory.</p>
    </section>
  );
}
