// The head of the page: which topology, how it is, and what the reader can do with it.
import { useState } from "preact/hooks";
import { link, report } from "./feed";
import { full, span, Value } from "./format";
import type { Oracle, Report } from "./report";
import { showShortcuts } from "./shortcuts";
import { theme, toggleTheme } from "./theme";

/** A run that restarts has failed, and goes on in a moment. */
export const isOver = (one: Report) => !["restoring", "running", "draining", "restarting"].includes(one.state);

function State(props: { report: Report }) {
  const { state, active, uptime_ms: up } = props.report;
  const paused = active === false && state === "running";
  const stands = isOver(props.report) || state === "restarting";
  return (
    <span class="state" data-state={paused ? "paused" : state} data-testid="state" data-value={state}>
      {paused ? "paused" : state}
      <small> {isOver(props.report) ? "after" : stands ? "ran" : "up"} <Value id="uptime" exact={up} title={`${full(up)} ms`}>{span(stands ? up : Math.floor(up / 1000) * 1000)}</Value></small>
    </span>
  );
}

/** The same of a run whose process is killed again and again: what a reader outside of it saw. */
function Kills(props: { oracle: Oracle }) {
  const { rows, wrong, kills = 0, lost = 0, doubled = 0 } = props.oracle;
  const right = Number(lost) + Number(doubled) + Number(wrong) === 0;
  return (
    <span class={right ? "oracle" : "oracle alarm"} title="Rows that a reader outside of the killed process saw committed, compared with an answer computed in another way">
      killed <Value id="oracle-kills" exact={kills}>{full(kills)}</Value> {Number(kills) === 1 ? "time" : "times"}: lost <Value id="oracle-lost" exact={lost}>{full(lost)}</Value>, doubled <Value id="oracle-doubled" exact={doubled}>{full(doubled)}</Value>, wrong <Value id="oracle-wrong" exact={wrong}>{full(wrong)}</Value> of <Value id="oracle-rows" exact={rows}>{full(rows)}</Value> rows
    </span>
  );
}

/** What the topology's own check says: right or wrong, in figures. */
function Verdict(props: { report: Report }) {
  const { oracle } = props.report;
  if (!oracle) return null;
  if (oracle.kills !== undefined) return <Kills oracle={oracle} />;
  return (
    <span class={oracle.wrong === 0 ? "oracle" : "oracle alarm"} title="Rows that the program compared with an answer computed in another way">
      oracle: <Value id="oracle-wrong" exact={oracle.wrong}>{full(oracle.wrong)} wrong</Value> of <Value id="oracle-rows" exact={oracle.rows}>{full(oracle.rows)}</Value>
    </span>
  );
}

async function setActive(active: boolean): Promise<string | null> {
  try {
    const answer = await fetch(`/api/v1/${active ? "activate" : "deactivate"}`, { method: "POST", headers: { "X-Millrace": "1" } });
    if (answer.ok) return null;
    const said = (await answer.json()) as { error?: string };
    return said.error ?? `the program answered ${answer.status}`;
  } catch {
    return "the program did not answer";
  }
}

/** Stops and resumes the sources; absent where the run cannot be paused. */
function Pause(props: { report: Report }) {
  const { active, state } = props.report;
  const [refused, setRefused] = useState<string | null>(null);
  if (active === null || active === undefined || state !== "running") return null;
  return (
    <>
      {refused && <span class="refused" role="alert">{refused}</span>}
      <button type="button" class="tool" data-testid="pause" onClick={() => void setActive(!active).then(setRefused)}
              title={active ? "Sources stop reading; what was read is worked off" : "Sources read on"}>
        {active ? "Pause sources" : "Resume sources"}
      </button>
    </>
  );
}

const Sun = () => <svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true"><circle cx="10" cy="10" r="3.6" /><path d="M10 1.8v2.4M10 15.8v2.4M1.8 10h2.4M15.8 10h2.4M4.2 4.2l1.7 1.7M14.1 14.1l1.7 1.7M15.8 4.2l-1.7 1.7M5.9 14.1l-1.7 1.7" /></svg>;
const Moon = () => <svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true"><path d="M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z" /></svg>;

export function Masthead() {
  const shown = report.value;
  const over = shown !== null && isOver(shown);
  const linkText = link.value === "open" ? "live" : link.value === "connecting" ? "connecting" : over ? "ended" : "not connected";
  const dark = theme.value === "dark";
  return (
    <header class="masthead">
      <a class="logo" href="/" aria-label="Millrace"><img src="favicon.svg" alt="" width="26" height="26" /><span class="brand">Millrace</span></a>
      {shown && <h1 data-testid="topology-name">{shown.topology}</h1>}
      {shown && <State report={shown} />}
      {shown && <Verdict report={shown} />}
      <div class="tools">
        <span class="live" data-link={link.value === "lost" && over ? "ended" : link.value} data-testid="link">{linkText}</span>
        {shown && <Pause report={shown} />}
        <button type="button" class="tool icon" onClick={toggleTheme} aria-label={dark ? "Light theme" : "Dark theme"} title={`${dark ? "Light" : "Dark"} theme (t)`} data-testid="theme">{dark ? <Sun /> : <Moon />}</button>
        <button type="button" class="tool icon" onClick={showShortcuts} aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)">?</button>
      </div>
    </header>
  );
}
