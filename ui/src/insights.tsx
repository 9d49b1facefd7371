// What is wrong now and why nothing comes out, in the engine's own words.
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

/** Absent where the engine does not tell what is wrong: silence would look like health. */
export function Insights(props: { report: Report }) {
  const { insights, components, state } = props.report;
  const reasons = reasonsOf(props.report);
  if (!insights) return null;
  const quiet = insights.length === 0 && reasons.length === 0;
  const over = state !== "running" && state !== "draining";
  if (quiet) {
    return <p class="calm" data-testid="calm"><i aria-hidden="true" />{over ? "Nothing was wrong when it ended." : "Nothing is wrong right now."}</p>;
  }
  return (
    <div class="insights" data-testid="insights">
      {insights.length > 0 && (
        <section class="card" aria-labelledby="wrong-title">
          <header><h2 id="wrong-title">What is wrong now</h2></header>
          <ul>{insights.map((one, i) => <Said key={`${one.kind}/${one.component}/${i}`} insight={one} known={components.some((c) => c.name === one.component)} />)}</ul>
        </section>
      )}
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
