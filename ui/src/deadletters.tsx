// The newest records that were given up, with the reason of each; all that are kept by reason, to be replayed.
import { useEffect, useState } from "preact/hooks";
import { clock, day, full } from "./format";
import { isOver } from "./masthead";
import type { Num, Report } from "./report";
import { SortedTable, type Head } from "./sorted";

interface KeptReason {
  component: string;
  reason: string;
  letters: Num;
  not_replayed: Num;
  last: string;
}

/** As GET /api/v1/dead-letters answers. */
interface Kept {
  folder: string;
  to: string;
  error: string;
  older: Num;
  read: Num;
  number: Num;
  over: Num;
  last_failed: Num;
  last_failure: string;
  records: Num;
  before: Num;
  cut: Num;
  no_records: Num;
  reasons: KeptReason[];
}

/** Letters come to the disk some moments after they are reported, and replays take a while. */
const kAskAgainMs = 2000;
/** The row of what is beyond the reasons that are told apart. */
const kOther = "other reasons";
const kPath = "/api/v1/dead-letters";

async function askKept(): Promise<Kept | null> {
  try {
    const answer = await fetch(kPath);
    return answer.ok ? ((await answer.json()) as Kept) : null;
  } catch {
    return null;
  }
}

async function replay(which: { component?: string; alike?: string }): Promise<string | null> {
  const query = new URLSearchParams(Object.entries(which)).toString();
  try {
    const answer = await fetch(`${kPath}/replay${query && `?${query}`}`, { method: "POST", headers: { "X-Millrace": "1" } });
    if (answer.ok) return null;
    const said = (await answer.json()) as { error?: string };
    return said.error ?? `the program answered ${answer.status}`;
  } catch {
    return "the program did not answer";
  }
}

/** What the run keeps, asked now and then as long as there are letters and the run lasts; null: not known. */
function useKept(count: Num, over: boolean): [Kept | null, () => void] {
  const [kept, setKept] = useState<Kept | null>(null);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    if (Number(count) === 0 || over) return undefined;
    let gone = false;
    const ask = () => void askKept().then((found) => !gone && found && setKept(found));
    ask();
    const again = setInterval(ask, kAskAgainMs);
    return () => {
      gone = true;
      clearInterval(again);
    };
  }, [Number(count) === 0, over, asked]);
  return [kept, () => setAsked(asked + 1)];
}

/** How the newest replay ended. */
function outcome(kept: Kept): string | null {
  const number = Number(kept.number);
  if (number === 0) return null;
  if (Number(kept.over) < number) return `Replaying to ${kept.to}\u2026`;
  if (Number(kept.last_failed) === number) return `Not replayed: ${kept.last_failure}`;
  const passed = [
    Number(kept.before) > 0 && `${full(kept.before)} were replayed before`,
    Number(kept.cut) > 0 && `${full(kept.cut)} are longer than what is kept`,
    Number(kept.no_records) > 0 && `${full(kept.no_records)} are no records`,
  ].filter(Boolean);
  return [`${full(kept.records)} replayed to ${kept.to}`, ...passed].join("; ") + ".";
}

const kHeads: Head[] = [{ name: "component", number: false }, { name: "reason", number: false }, { name: "letters", number: true },
  { name: "not replayed", number: true }, { name: "newest, UTC", number: false, time: true }];

function KeptLetters(props: { kept: Kept; ask: () => void }) {
  const { kept, ask } = props;
  const [refused, setRefused] = useState<string | null>(null);
  const may = kept.to !== "" && Number(kept.over) === Number(kept.number);
  const press = (which: { component?: string; alike?: string }) => void replay(which).then((why) => { setRefused(why); ask(); });
  const waiting = kept.reasons.reduce((sum, one) => sum + Number(one.not_replayed), 0);
  const said = refused ?? outcome(kept);
  return (
    <div data-testid="kept-letters">
      <p class="note replay">
        <span>{Number(kept.older) > 0 ? `The newest ${full(kept.read)} of those kept in ` : "Kept in "}{kept.folder}</span>
        {kept.to !== "" && <button type="button" class="tool" data-testid="replay-all" disabled={!may || waiting === 0} onClick={() => press({})}
                title={`Writes the records that were not replayed to ${kept.to}, once each`}>Replay all {full(waiting)}</button>}
      </p>
      {kept.error && <p class="note">{kept.error}</p>}
      {said && <p class={refused !== null || said.startsWith("Not") ? "note refused" : "note"} role="status" data-testid="replay-said">{said}</p>}
      {kept.to === "" && <p class="help">To replay them from here, start the run with <code>--dead-letters-to journal:DIR/TOPIC</code>, where a source reads.</p>}
      {kept.reasons.length > 0 && (
        <div class="scroll short" tabIndex={0} role="group" aria-label="Dead letters by reason">
          <SortedTable
            caption="Dead letters by component and reason" captionSeen={false} heads={kHeads}
            rows={kept.reasons.map((one) => [one.component, one.reason, one.letters, one.not_replayed, one.last])}
            rowProps={(i) => ({ "data-testid": "kept-reason", "data-component": kept.reasons[i]?.component ?? "" })}
            extra={(i, column) => {
              const one = kept.reasons[i];
              if (column !== 3 || !one || one.reason === kOther || kept.to === "" || Number(one.not_replayed) === 0) return null;
              return <button type="button" class="tool" data-testid="replay" disabled={!may} onClick={() => press({ component: one.component, alike: one.reason })}
                             aria-label={`Replay those of ${one.component}: ${one.reason}`}>Replay</button>;
            }}
          />
        </div>
      )}
    </div>
  );
}

export function DeadLetters(props: { report: Report }) {
  const { recent_dead_letters: letters, dead_letters: count } = props.report;
  const [kept, ask] = useKept(count, isOver(props.report));
  if (letters.length === 0 && count === 0) return null;
  return (
    <section class="card dead" aria-labelledby="dead-title" data-testid="dead-letter-list">
      <header>
        <h2 id="dead-title">Dead letters</h2>
        <p class="note">{letters.length} newest of {full(count)}</p>
      </header>
      {kept && kept.folder !== "" && <KeptLetters kept={kept} ask={ask} />}
      <div class="scroll" tabIndex={0} role="group" aria-label="Newest dead letters">
        <ol class="alerts">
          {letters.map((letter) => (
            <li data-testid="dead-letter" key={letter.at + letter.where + letter.record}>
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
