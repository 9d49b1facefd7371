// The page: a report in, a picture out.
import { effect } from "@preact/signals";
import { render } from "preact";
import { AskedTables } from "./asked";
import { CheckpointsPanel } from "./checkpoints";
import { DeadLetters } from "./deadletters";
import { link, now, receivedAt, report, start } from "./feed";
import { full, short, span } from "./format";
import { TopologyGraph } from "./graph/graph";
import { Details } from "./graph/inspector";
import { Health } from "./health";
import { Insights } from "./insights";
import { isOver, Masthead } from "./masthead";
import type { Report } from "./report";
import { RestorePanel } from "./restore";
import { Shortcuts } from "./shortcuts";
import { ViewCard } from "./views/card";

/** Reports come every second: without one for this long, something is stuck. */
const kQuietMs = 5000;

function Notice(props: { text: string; kind: "lost" | "failed" | "restarting" | "ended" }) {
  return <p class={`notice ${props.kind}`} role="status" data-testid={`notice-${props.kind}`}>{props.text}</p>;
}

const wallClock = (ms: number) => new Date(ms).toLocaleTimeString("en-GB");

function LinkNotice() {
  const last = receivedAt.value;
  const over = report.value !== null && isOver(report.value);
  if (link.value === "lost" && over) {
    return <Notice kind="ended" text={`The program has ended. This is its last report, from ${wallClock(last)}.`} />;
  }
  if (link.value === "lost") {
    const rest = last > 0 ? `What is shown is from ${wallClock(last)}. Trying again\u2026` : "Is the program running? Trying again\u2026";
    return <Notice kind="lost" text={`Connection lost. ${rest}`} />;
  }
  const quiet = now.value - last;
  // Between a failure and the next start, and while state is put in its place, there is nothing to report.
  const waits = report.value?.state === "restarting" || report.value?.state === "restoring";
  if (last > 0 && !over && !waits && quiet > kQuietMs) return <Notice kind="lost" text={`No report for ${span(Math.floor(quiet / 1000) * 1000)}.`} />;
  return null;
}

function FailureNotice() {
  const { error, state } = report.value ?? {};
  if (!error) return null;
  if (state === "restarting") return <Notice kind="restarting" text={`The run failed and starts again from its last epoch: ${error}`} />;
  return <Notice kind="failed" text={error} />;
}

const executorsTold = (r: Report) =>
  `Threads that step tasks${r.executors_auto ? ", as many as the load needs" : ""}. So far ${full(r.executors_added ?? 0)} added, ${full(r.executors_removed ?? 0)} removed; ${span(r.cpu_ms ?? 0)} of processor time.`;

function Footer(props: { report: Report }) {
  const r = props.report;
  const speed = r.speed === 0 ? "as fast as possible" : `${full(r.speed)}\u00d7 replay`;
  return (
    <footer class="foot">
      <span>Millrace {r.version}</span>
      <span title={executorsTold(r)} data-testid="executors">{r.executors} {r.executors === 1 ? "executor" : "executors"}{(r.executors_most ?? 0) > r.executors && ` (${r.executors_most} at most)`}</span>
      <span>parallelism {r.parallelism}</span>
      <span>{speed}</span>
      <span class="links"><a href="/api/v1/report">report as JSON</a> <a href="/metrics">metrics</a> <a href="/licenses.txt">licences</a></span>
    </footer>
  );
}

function Content() {
  const shown = report.value;
  if (!shown) return <main class="waiting" data-testid="waiting">{link.value === "lost" ? "" : "Waiting for the first report\u2026"}</main>;
  if (shown.restore) return <main data-testid="page"><RestorePanel report={shown} /><Footer report={shown} /></main>;
  return (
    <main class={link.value === "lost" && !isOver(shown) ? "stale" : ""} data-testid="page">
      <Health report={shown} />
      <Insights report={shown} />
      <TopologyGraph report={shown} />
      {shown.views.length === 0 && <p class="card empty">This topology has no views: end a stream with <code>.to(view("name"))</code> to see its records here.</p>}
      <div class={shown.views.filter((view) => view.kind === "line").length === 1 ? "views one-line" : "views"}>
        {shown.views.map((view, i) => <ViewCard key={view.name} view={view} index={i} />)}
        <DeadLetters report={shown} />
      </div>
      <AskedTables report={shown} />
      <CheckpointsPanel report={shown} />
      <Footer report={shown} />
    </main>
  );
}

function Page() {
  return (
    <>
      <Masthead />
      <LinkNotice />
      <FailureNotice />
      <Content />
      {report.value && <Details report={report.value} />}
      <Shortcuts />
    </>
  );
}

effect(() => {
  const r = report.value;
  if (r) document.title = `${r.topology} \u00b7 ${r.state === "running" ? short(r.records_in_per_second) + "\u202f/s" : r.state} \u00b7 Millrace`;
});
start();
render(<Page />, document.getElementById("app") as HTMLElement);
