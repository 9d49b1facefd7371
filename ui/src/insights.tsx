// What is wrong now and why nothing comes out, in the engine's own words.
import { useState } from "preact/hooks";
import { lateInsight } from "./checkpoints";
import { isOver } from "./masthead";
import { selected } from "./selection";
import type { Insight, Report } from "./report";

const kWords: Record<string, string> = { error: "Error", warning: "Warning", info: "Note" };

function Said(props: { insight: Insight; known: boolean }) {
  const { insight } = props;
  return (
    <li class={`said ${insight.severity}`} data-testid="insight" data-kind={insight.kind} data-component={insight.component}>
      <span class="sign">{kWords[insight.severity] ?? insight.severity}</span>
      <div>
        <p class="what">{insight.text}</p>
        {insight.advice && <p class="advice">{insight.advice}</p>}
      </div>
      {props.known && (
        <button type="button" class="tool" onClick={() => (selected.value = insight.component)} aria-label={`Details of ${insight.component}`}>Details</button>
      )}
    </li>
  );
}

/** Views without a row, by the reason the engine gives. */
function reasonsOf(report: Report): [string, string[]][] {
  const reasons = new Map<string, string[]>();
  for (const view of report.views) {
    if (view.rows.length > 0 || !view.why_empty) continue;
    reasons.set(view.why_empty, [...(reasons.get(view.why_empty) ?? []), view.name]);
  }
  return [...reasons];
}

const kRanks = ["error", "warning", "info"];
const worstFirst = (insights: Insight[]) => insights.sort((a, b) => kRanks.indexOf(a.severity) - kRanks.indexOf(b.severity));

/** The worst are seen at once, the rest on demand. */
const kSeen = 4;

function Wrong(props: { insights: Insight[]; known: (name: string) => boolean }) {
  const [all, setAll] = useState(false);
  const { insights } = props;
  return (
    <section class="card" aria-labelledby="wrong-title">
      <header><h2 id="wrong-title">What is wrong now</h2></header>
      <ul>{insights.slice(0, all ? insights.length : kSeen).map((one, i) => <Said key={`${one.kind}/${one.component}/${i}`} insight={one} known={props.known(one.component)} />)}</ul>
      {insights.length > kSeen && <button type="button" class="tool" aria-expanded={all} onClick={() => setAll(!all)}>{all ? "Fewer" : `${insights.length - kSeen} more`}</button>}
    </section>
  );
}

/** Absent where the engine does not tell what is wrong: silence would look like health. */
export function Insights(props: { report: Report }) {
  const { insights: told, components, state } = props.report;
  const reasons = reasonsOf(props.report);
  if (!told) return null;
  const insights = worstFirst([...told, ...lateInsight(props.report)]);
  const quiet = insights.length === 0 && reasons.length === 0;
  // Why it restarts is said above.
  if (quiet && state === "restarting") return null;
  if (quiet) {
    return <p class="calm" data-testid="calm"><i aria-hidden="true" />{isOver(props.report) ? "Nothing was wrong when it ended." : "Nothing is wrong right now."}</p>;
  }
  return (
    <div class="insights" data-testid="insights">
      {insights.length > 0 && <Wrong insights={insights} known={(name) => components.some((c) => c.name === name)} />}
      {reasons.length > 0 && (
        <section class="card" aria-labelledby="why-title" data-testid="why-no-output">
          <header><h2 id="why-title">Why no output</h2></header>
          <ul>
            {reasons.map(([why, names]) => (
              <li class="said info" key={why}>
                <span class="sign">{names.length === 1 ? "View" : "Views"}</span>
                <div><p class="what">{names.join(", ")}</p><p class="advice">{why}</p></div>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}
