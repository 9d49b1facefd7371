// The page: a report in, a picture out.
import { render } from "preact";
import { link, now, receivedAt, report, start } from "./feed";
import { clock, day, full, short, span } from "./format";
import { TopologyGraph } from "./graph";
import { Health } from "./health";
import type { Report } from "./report";
import { ViewCard } from "./views";
import { effect } from "@preact/signals";

/** Reports come every second: without one for this long, something is stuck. */
const kQuietMs = 5000;

function Notice(props: { text: string; kind: "lost" | "failed" | "ended" }) {
  return <p class={`notice ${props.kind}`} role="status" data-testid={`notice-${props.kind}`}>{props.text}</p>;
}

const wallClock = (ms: number) => new Date(ms).toLocaleTimeString("en-GB");

function LinkNotice() {
  const last = receivedAt.value;
  const state = report.value?.state;
  const live = state === "running" || state === "draining";
  if (link.value === "lost" && state && !live) {
    return <Notice kind="ended" text={`The program has ended. This is its last report, from ${wallClock(last)}.`} />;
  }
  if (link.value === "lost") {
    const rest = last > 0 ? `What is shown is from ${wallClock(last)}. Trying again\u2026` : "Is the program running? Trying again\u2026";
    return <Notice kind="lost" text={`Connection lost. ${rest}`} />;
  }
  const quiet = now.value - last;
  if (last > 0 && live && quiet > kQuietMs) return <Notice kind="lost" text={`No report for ${span(Math.floor(quiet / 1000) * 1000)}.`} />;
  return null;
}

function DeadLetters(props: { report: Report }) {
  const { recent_dead_letters: letters, dead_letters: count } = props.report;
  if (letters.length === 0 && count === 0) return null;
  return (
    <section class="card dead" aria-labelledby="dead-title" data-testid="dead-letter-list">
      <header>
        <h2 id="dead-title">Dead letters</h2>
        <p class="note">{letters.length} newest of {full(count)}</p>
      </header>
      <div class="scroll" tabIndex={0} role="group" aria-label="Newest dead letters">
        <ol class="alerts">
          {letters.map((letter) => (
            <li data-testid="dead-letter">
              <time dateTime={letter.at} title={letter.at}>{clock(letter.at)}<small>{day(letter.at)}</small></time>
              <div>
                <p class="what">{letter.reason}</p>
                <p class="note"><span>{letter.component}</span>{letter.where && <span>{letter.where}</span>}</p>
                {letter.record && <code>{letter.record}</code>}
              </div>
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}

function Footer(props: { report: Report }) {
  const r = props.report;
  const speed = r.speed === 0 ? "as fast as possible" : `${full(r.speed)}\u00d7 replay`;
  return (
    <footer class="foot">
      <span>Millrace {r.version}</span>
      <span>{r.executors} {r.executors === 1 ? "executor" : "executors"}</span>
      <span>parallelism {r.parallelism}</span>
      <span>{speed}</span>
      <span class="links"><a href="/api/v1/report">report as JSON</a> <a href="/metrics">metrics</a> <a href="/licenses.txt">licences</a></span>
    </footer>
  );
}

function Page() {
  const shown = report.value;
  const ended = shown !== null && shown.state !== "running" && shown.state !== "draining";
  const linkText = link.value === "open" ? "live" : link.value === "connecting" ? "connecting" : ended ? "ended" : "not connected";
  return (
    <>
      <header class="masthead">
        <img src="favicon.svg" alt="" width="28" height="28" />
        <span class="brand">Millrace</span>
        {shown && <h1 data-testid="topology-name">{shown.topology}</h1>}
        <span class="live" data-link={link.value === "lost" && ended ? "ended" : link.value} data-testid="link">{linkText}</span>
      </header>
      <LinkNotice />
      {shown?.error && <Notice kind="failed" text={shown.error} />}
      {!shown ? <main class="waiting" data-testid="waiting">{link.value === "lost" ? "" : "Waiting for the first report\u2026"}</main> : (
        <main class={link.value === "lost" && !ended ? "stale" : ""} data-testid="page">
          <Health report={shown} />
          <TopologyGraph report={shown} />
          <div class="views">
            {shown.views.map((view, i) => <ViewCard key={view.name} view={view} index={i} />)}
            <DeadLetters report={shown} />
          </div>
          <Footer report={shown} />
        </main>
      )}
    </>
  );
}

effect(() => {
  const r = report.value;
  if (r) document.title = `${r.topology} \u00b7 ${r.state === "running" ? short(r.records_in_per_second) + "\u202f/s" : r.state} \u00b7 Millrace`;
});
start();
render(<Page />, document.getElementById("app") as HTMLElement);
