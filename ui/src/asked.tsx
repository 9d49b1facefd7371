// The tables that can be asked while the topology runs: what each holds, and the rows that somebody looks up.
import { useEffect, useRef, useState } from "preact/hooks";
import { clock, day, full, span } from "./format";
import { isOver } from "./masthead";
import type { Cell, Column, Num, Report } from "./report";
import { SortedTable, type Head } from "./sorted";

/** As GET /api/v1/tables lists one. */
interface Asked {
  name: string;
  /** The fields of its key, in their order. */
  key: string[];
  windowed: boolean;
  /** How long rows stay behind the watermark; null: for ever. */
  keep_ms: Num | null;
  columns: Column[];
  /** null: it is being restored. */
  rows: Num | null;
  bytes: Num | null;
  watermark: string | null;
}

/** A page of rows, as GET /api/v1/tables/NAME answers. */
interface Answer {
  watermark: string | null;
  rows: Record<string, unknown>[];
  next: string | null;
}

/** What was asked for, and what came of it. */
interface Looked {
  table: Asked;
  query: string;
  answer: Answer | null;
  refused: string | null;
  /** Rows of the pages before. */
  before: number;
}

type How = "key" | "prefix";

const kAskAgainMs = 2000;
const kRowsAPage = 20;
const kPath = "/api/v1/tables";

async function askTables(): Promise<Asked[] | null> {
  try {
    const answer = await fetch(kPath);
    return answer.ok ? ((await answer.json()) as { tables: Asked[] }).tables : null;
  } catch {
    return null;
  }
}

async function look(table: Asked, query: string, after: string | null, before: number): Promise<Looked> {
  const parameters = new URLSearchParams(query);
  parameters.set("limit", String(kRowsAPage));
  if (after !== null) parameters.set("after", after);
  const of = { table, query, before };
  try {
    const answer = await fetch(`${kPath}/${encodeURIComponent(table.name)}?${parameters.toString()}`);
    const body = (await answer.json()) as Answer & { error?: string };
    if (answer.ok) return { ...of, answer: body, refused: null };
    return { ...of, answer: null, refused: body.error ?? `the program answered ${answer.status}` };
  } catch {
    return { ...of, answer: null, refused: "the program did not answer" };
  }
}

/** The tables, asked for again now and then while the run lasts; a topology without any is asked once. */
function useTables(topology: string, over: boolean): Asked[] {
  const [tables, setTables] = useState<Asked[]>([]);
  useEffect(() => {
    let gone = false;
    let again = 0;
    const ask = () => void askTables().then((found) => {
      if (gone) return;
      if (found) setTables(found);
      if (!over && found?.length !== 0) again = window.setTimeout(ask, kAskAgainMs);
    });
    ask();
    return () => {
      gone = true;
      window.clearTimeout(again);
    };
  }, [topology, over]);
  return tables;
}

const moment = (iso: string | null) => (iso === null ? "none so far" : iso === "end" ? "the end of input" : `${day(iso)}, ${clock(iso)}`);

/** Lists and objects as JSON: a cell is one value. */
const cellOf = (value: unknown): Cell =>
  value === undefined ? null : value !== null && typeof value === "object" ? JSON.stringify(value) : (value as Cell);

const kHeads: Head[] = [{ name: "table", number: false }, { name: "key", number: false }, { name: "windows", number: false }, { name: "rows", number: true }, { name: "bytes", number: true }, { name: "watermark, UTC", number: false }];

const windowsOf = (table: Asked): string => {
  const keep = table.keep_ms === null ? "" : `kept for ${span(table.keep_ms)}`;
  return table.windowed ? `a row of each${keep && `, ${keep}`}` : keep || "none";
};

function List(props: { tables: Asked[] }) {
  const { tables } = props;
  return (
    <div class="scroll short" tabIndex={0} role="group" aria-label="Tables that can be asked">
      <SortedTable
        caption="Tables that can be asked" captionSeen={false} heads={kHeads}
        rows={tables.map((one) => [one.name, one.key.join(", "), windowsOf(one), one.rows, one.bytes, moment(one.watermark)])}
        rowProps={(i) => ({ "data-testid": "asked-table", "data-name": tables[i]?.name ?? "", "data-rows": String(tables[i]?.rows ?? ""), "data-windowed": String(tables[i]?.windowed ?? false) })}
      />
    </div>
  );
}

/** The columns of a table's rows. */
const headsOf = (table: Asked): Head[] => [
  ...table.columns.map((one) => ({ name: one.name, number: one.type === "int" || one.type === "double", time: one.type === "timestamp" })),
  ...(table.windowed ? [{ name: "window_start", number: false, time: true }, { name: "window_end", number: false, time: true }] : []),
];

function Rows(props: { looked: Looked; onNext: () => void }) {
  const { answer, refused, table, before } = props.looked;
  if (refused !== null || answer === null) return <p class="note refused" role="status" data-testid="asked-said">{refused}</p>;
  const heads = headsOf(table);
  const from = before + 1;
  const said = answer.rows.length === 0 ? (before === 0 ? "No row is there." : "No more rows.") : answer.rows.length === 1 ? `Row ${full(from)}` : `Rows ${full(from)} to ${full(before + answer.rows.length)}`;
  return (
    <>
      <p class="note said-of-rows"><span role="status" data-testid="asked-said">{said}{answer.rows.length > 0 && ` of ${table.name}, whole up to ${moment(answer.watermark)}`}</span>
        {answer.next !== null && <button type="button" class="tool" data-testid="asked-next" onClick={props.onNext}>Next rows</button>}</p>
      {answer.rows.length > 0 && (
        <div class="scroll short" tabIndex={0} role="group" aria-label={`Rows of ${table.name}`}>
          <SortedTable caption={`Rows of ${table.name}`} captionSeen={false} heads={heads} rows={answer.rows.map((row) => heads.map((head) => cellOf(row[head.name])))}
                       rowProps={(i) => ({ "data-testid": "asked-row", "data-row": JSON.stringify(answer.rows[i]) })} />
        </div>
      )}
    </>
  );
}

function Viewer(props: { tables: Asked[] }) {
  const { tables } = props;
  const [name, setName] = useState("");
  const [how, setHow] = useState<How>("key");
  const [text, setText] = useState("");
  const [looked, setLooked] = useState<Looked | null>(null);
  const asked = useRef(0);
  const table = tables.find((one) => one.name === name) ?? tables[0];
  if (!table) return null;
  const show = (query: string, after: string | null, before: number) => {
    const number = ++asked.current;  // an answer that comes behind a later question is of no use
    void look(table, query, after, before).then((found) => number === asked.current && setLooked(found));
  };
  const ask = (event: Event) => {
    event.preventDefault();
    show(text === "" ? "" : new URLSearchParams([[how, text]]).toString(), null, 0);
  };
  const next = () => looked?.answer?.next && show(looked.query, looked.answer.next, looked.before + looked.answer.rows.length);
  const choose = (chosen: string) => {
    setName(chosen);
    setLooked(null);
    asked.current++;
  };
  return (
    <div data-testid="asked-viewer">
      <form class="ask" onSubmit={ask}>
        {tables.length > 1 && (
          <label>Table <select value={table.name} data-testid="asked-choice" onChange={(event) => choose(event.currentTarget.value)}>
            {tables.map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}
          </select></label>
        )}
        <div class="segments" role="group" aria-label="Which rows">
          <button type="button" aria-pressed={how === "key"} onClick={() => setHow("key")}>Key is</button>
          <button type="button" aria-pressed={how === "prefix"} onClick={() => setHow("prefix")}>Key begins with</button>
        </div>
        <input type="search" value={text} autocomplete="off" spellcheck={false} data-testid="asked-text" aria-label={`${table.key.join(", ")} of ${table.name}`}
               placeholder={table.key.length > 1 ? `["${table.key[0] ?? ""}", \u2026]` : table.key[0] ?? ""} onInput={(event) => setText(event.currentTarget.value)} />
        <button type="submit" class="tool" data-testid="asked-show">{text === "" ? "Show all rows" : "Show rows"}</button>
      </form>
      {looked && <Rows looked={looked} onNext={next} />}
      <p class="help">{table.key.length > 1 ? `A key is a JSON list of ${table.key.join(", ")}; the last ones may be left out. ` : ""}Rows come in the order of their keys, as they are now. A script asks the same of <code>{`${kPath}/${encodeURIComponent(table.name)}`}</code></p>
    </div>
  );
}

/** Absent where no table can be asked. */
export function AskedTables(props: { report: Report }) {
  const over = isOver(props.report);
  const tables = useTables(props.report.topology, over);
  if (tables.length === 0) return null;
  return (
    <section class="card asked" aria-labelledby="asked-title" data-testid="asked-tables">
      <header><h2 id="asked-title">Tables<small>asked while the topology runs</small></h2></header>
      <List tables={tables} />
      {!over && <Viewer tables={tables} />}
    </section>
  );
}
