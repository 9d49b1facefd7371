// The epochs of a run with a state folder: how old the newest complete one is, and what the recent ones cost.
import { Fact } from "./fact";
import { full, span } from "./format";
import { toFigure } from "./history";
import type { Cell, Checkpoint, Checkpoints, Insight, Num, Report } from "./report";
import { SortedTable, type Head } from "./sorted";

/** A complete epoch that is older than so many intervals is late. */
const kLateIntervals = 3;
/** Reports come once a second: with a shorter interval, less than this says nothing. */
const kLateMinMs = 1000;

const newestEnded = (checkpoints: Checkpoints) => checkpoints.recent.find((one) => one.state !== "running");

/** How long no epoch has been complete, in milliseconds; null: none is late, or the run makes none any more. */
function lateMs(report: Report): number | null {
  const { checkpoints, state, uptime_ms: up } = report;
  if (!checkpoints || (state !== "running" && state !== "draining")) return null;
  const age = checkpoints.age_ms ?? up;
  return age > Math.max(kLateIntervals * checkpoints.interval_ms, kLateMinMs) ? age : null;
}

/** What is wrong with the epochs of a run, beside what the engine says. */
export function lateInsight(report: Report): Insight[] {
  const late = lateMs(report);
  if (late === null || !report.checkpoints) return [];
  const newest = newestEnded(report.checkpoints);
  return [{
    severity: "warning", kind: "late_checkpoint", component: "",
    text: `No epoch has been complete for ${span(late)}; one is due every ${span(report.checkpoints.interval_ms)}.`,
    advice: newest?.state === "failed"
      ? `The newest failed: ${newest.why}. After a failure of the run all that came since is read again.`
      : "A barrier waits behind what is queued: look for a full queue or a long step. After a failure of the run all that came since is read again.",
  }];
}

/** Milliseconds; null for a phase that was not reached. */
const millis = (us: Num): Cell => ((toFigure(us) ?? 0) > 0 ? Number(us) / 1000 : null);

const count = (name: string): Head => ({ name, number: true });
const kHeads: Head[] = [count("epoch"), { name: "begun, UTC", number: false, time: true }, { name: "state", number: false },
  count("align, ms"), count("image, ms"), count("write, ms"), count("commit, ms"), count("bytes"), { name: "holds", number: false }, count("chain")];
const kWhy: Head = { name: "why it failed", number: false };

/** As `millrace checkpoints ls` says it. An engine that does not tell writes them all whole. */
const holdsOf = (one: Checkpoint): string => ((toFigure(one.base) ?? 0) > 0 ? `changes of ${full(one.base as Num)}` : "all");

const rowOf = (one: Checkpoint): Cell[] =>
  [one.id, one.at, one.state, millis(one.align_us), millis(one.image_us), millis(one.write_us), millis(one.commit_us), ...(one.state === "complete" ? [one.bytes, holdsOf(one), one.chain ?? 0] : [null, null, null])];

function Recent(props: { recent: Checkpoint[] }) {
  const { recent } = props;
  const failed = recent.some((one) => one.why !== "");
  return (
    <div class="scroll short" tabIndex={0} role="group" aria-label="Recent epochs">
      <SortedTable
        caption="Recent epochs, newest first" captionSeen={false}
        heads={failed ? [...kHeads, kWhy] : kHeads}
        rows={recent.map((one) => (failed ? [...rowOf(one), one.why] : rowOf(one)))}
        rowProps={(i) => ({ "data-testid": "checkpoint-row", "data-id": String(recent[i]?.id), "data-state": recent[i]?.state ?? "" })}
      />
    </div>
  );
}

function Facts(props: { report: Report; checkpoints: Checkpoints }) {
  const { age_ms: age, completed, failed, restored_from: from, recent } = props.checkpoints;
  const newest = recent.find((one) => one.state === "complete");
  return (
    <dl class="facts">
      <Fact name="Newest complete" alarm={lateMs(props.report) !== null} help="Since the newest epoch that this run has completed: after a failure so much is read again. Late from three intervals on.">
        <span data-testid="checkpoint-age" data-value={age ?? ""}>{age === null ? "none yet" : `${span(age)} ago`}</span>{newest && <small> epoch {full(newest.id)}</small>}
      </Fact>
      <Fact name="Completed" help="Epochs that this run has completed."><span data-testid="checkpoints-completed">{full(completed)}</span></Fact>
      <Fact name="Failed" alarm={newestEnded(props.checkpoints)?.state === "failed"} help="Epochs that failed; what they held comes with the next one. Too many in a row fail the run."><span data-testid="checkpoints-failed">{full(failed)}</span></Fact>
      <Fact name="Restored from" help="The epoch that this run went on from."><span data-testid="checkpoints-restored">{from === null ? "nothing: it began anew" : `epoch ${full(from)}`}</span></Fact>
    </dl>
  );
}

/** Absent where the run keeps no state. */
export function CheckpointsPanel(props: { report: Report }) {
  const { checkpoints } = props.report;
  if (!checkpoints) return null;
  return (
    <section class="card checkpoints" aria-labelledby="checkpoints-title" data-testid="checkpoints">
      <header><h2 id="checkpoints-title">Checkpoints<small>every {span(checkpoints.interval_ms)}</small></h2></header>
      <Facts report={props.report} checkpoints={checkpoints} />
      {checkpoints.recent.length === 0 ? <p class="empty">No epoch so far: the first begins {span(checkpoints.interval_ms)} after the start.</p> : (
        <>
          <Recent recent={checkpoints.recent} />
          <p class="help">Align: until the last task had its image, which grows with what is queued before a task. Image: the longest that one task stood still for it, a part of align. Write: until it was on the disk. Commit: until all sinks had made visible what belongs to it. Holds: all of the state, or what changed since another epoch, which is then read too; chain: how many epochs of changes are read on top of a whole one.</p>
        </>
      )}
    </section>
  );
}
