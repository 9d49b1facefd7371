// Alerts, newest first; those that are raised and cleared say which in a word and a colour.
import { cellShort, cellText, clock, day, full } from "../format";
import type { Cell, View } from "../report";
import { rowData, words } from "./shape";

const kRowsMax = 100;
const kRaised = new Set(["raise", "raised", "firing", "active", "open", "alert", "on"]);
const kCleared = new Set(["clear", "cleared", "resolved", "ok", "closed", "off"]);

type AlertState = "raised" | "cleared" | null;

/** The column that says whether an alert is raised or cleared: only such words in every row; -1: none. */
function stateColumn(view: View): number {
  return view.columns.findIndex((column, i) => {
    const named = /^(state|status|event|change|raised|active|firing|alert|on)$/i.test(column.name);
    if (!named || view.rows.length === 0) return false;
    if (column.type === "bool") return true;
    return column.type === "string" && view.rows.every((row) => stateOf(row[i] ?? null) !== null);
  });
}

function stateOf(cell: Cell): AlertState {
  if (typeof cell === "boolean") return cell ? "raised" : "cleared";
  const word = typeof cell === "string" ? cell.toLowerCase() : "";
  return kRaised.has(word) ? "raised" : kCleared.has(word) ? "cleared" : null;
}

/** What is raised now: of each name, the newest row says so. */
function raisedNow(view: View, state: number, texts: number[]): string[] {
  const newest = new Map<string, AlertState>();
  for (const row of view.rows) {
    const name = texts.map((i) => cellText(row[i] ?? null)).join(" \u00b7 ");
    if (!newest.has(name)) newest.set(name, stateOf(row[state] ?? null));
  }
  return [...newest].filter(([, now]) => now === "raised").map(([name]) => name);
}

function Now(props: { raised: string[] }) {
  const { raised } = props;
  return (
    <p class={raised.length > 0 ? "alarm-now" : "note"} data-testid="raised-now" data-value={raised.length}>
      {raised.length === 0 ? "Nothing is raised now." : `${raised.length} raised now: ${raised.slice(0, 4).join(", ")}${raised.length > 4 ? "\u2026" : ""}`}
    </p>
  );
}

export function Alerts(props: { view: View }) {
  const { view } = props;
  const state = stateColumn(view);
  const time = view.columns.findIndex((column) => column.type === "timestamp");
  const texts = view.columns.map((column, i) => (column.type === "string" && i !== state ? i : -1)).filter((i) => i >= 0);
  const others = view.columns.map((_, i) => i).filter((i) => i !== time && i !== state && !texts.includes(i));
  const [main, ...more] = texts;
  const rows = view.rows.slice(0, kRowsMax);
  return (
    <>
      {state >= 0 && <Now raised={raisedNow(view, state, texts)} />}
      <div class="scroll" tabIndex={0} role="group" aria-label={`Alerts of ${view.name}`}>
        <ol class="alerts">
          {rows.map((row, rank) => {
            const at = time >= 0 ? String(row[time] ?? "") : "";
            const now = state >= 0 ? stateOf(row[state] ?? null) : null;
            return (
              <li key={view.rows.length - rank + rowData(view, row)} class={now ?? ""} data-testid="view-row" data-rank={rank} data-row={rowData(view, row)} data-state={now ?? undefined}>
                {at && <time dateTime={at} title={at}>{clock(at)}<small>{day(at)}</small></time>}
                <div>
                  <p class="what">{main === undefined ? "" : cellText(row[main] ?? null)}{now && <span class="alert-state">{now}{typeof row[state] === "string" && row[state] !== now ? ` (${row[state]})` : ""}</span>}</p>
                  <p class="note">
                    {more.map((i) => <span key={i} title={view.columns[i]?.name}>{cellText(row[i] ?? null)}</span>)}
                    {others.map((i) => <span key={i} title={cellText(row[i] ?? null)}>{words(view.columns[i]?.name ?? "")} <b>{cellShort(row[i] ?? null)}</b></span>)}
                  </p>
                </div>
              </li>
            );
          })}
        </ol>
        {view.rows.length > rows.length && <p class="note">and {full(view.rows.length - rows.length)} older ones</p>}
      </div>
    </>
  );
}
