// The dead letters that a run keeps, and replaying them from the page: on the stand.
//
// [CHROMIUM=/usr/bin/chromium] [ONLY=words of a name] node letters_test.mjs; needs `npm ci --ignore-scripts` in ui.
import assert from "node:assert/strict";
import { until } from "./program.mjs";
import { history, keptLetters, report, runTests } from "./stand.mjs";

const kSeconds = 2000;
const tests = [];
const test = (name, run) => tests.push({ name, run });
const letter = { component: "check", reason: "order 6250 has no price", where: "orders.jsonl:12", record: "{\"id\":6250}", at: "2026-11-21T09:02:11.120Z" };
const reason = (component, text, letters, waiting) => ({ component, reason: text, letters, not_replayed: waiting, first: "2026-11-21T09:02:11Z", last: "2026-11-21T09:12:11Z" });
const dead = (more) => ({ report: report(kSeconds, { dead_letters: 15, recent_dead_letters: [letter] }), history: history(kSeconds), seconds: kSeconds, ...more });
const kept = (more = {}) => keptLetters({ folder: "letters", to: "journal:in/orders", read: 15, reasons: [reason("check", "order 6250 has no price", 12, 12), reason("read", "\"amount\" is \"12x\"", 3, 0)], ...more });

test("a run that keeps none shows the newest alone", async ({ open }) => {
  const { page } = await open(dead());
  await page.getByTestId("dead-letter").waitFor();
  assert.equal(await page.getByTestId("kept-letters").count(), 0);
});

test("without a place to replay to the page says how to give one, and has no button", async ({ open }) => {
  const { page } = await open(dead({ letters: kept({ to: "" }) }));
  await page.getByTestId("kept-letters").getByText("--dead-letters-to").waitFor();
  assert.equal(await page.getByTestId("replay").count() + await page.getByTestId("replay-all").count(), 0);
  assert.equal(await page.getByTestId("kept-reason").count(), 2);
});

test("all, or those of one reason, are replayed, and the page says what came of it", async ({ open }) => {
  const told = dead({ letters: kept() });
  told.answer = (path, query) => {
    assert.equal(path, "/api/v1/dead-letters/replay");
    told.letters = kept({ number: 1, over: 1, records: query.has("component") ? 12 : 15, before: 3, reasons: [reason("check", "order 6250 has no price", 12, 0)] });
    return { status: 202, body: { number: 1 } };
  };
  const { page, posted } = await open(told);
  const all = page.getByTestId("replay-all");
  await all.getByText("Replay all 12").waitFor();
  assert.equal(await page.getByTestId("replay").count(), 1, "what was replayed has no button");
  await page.getByTestId("replay").click();
  await page.getByTestId("replay-said").getByText("12 replayed to journal:in/orders; 3 were replayed before.").waitFor();
  assert.deepEqual(posted, ["/api/v1/dead-letters/replay?component=check&alike=order+6250+has+no+price"]);
  await until("nothing waits", async () => await all.isDisabled());
  told.letters = kept();
  await until("letters wait", async () => !(await all.isDisabled()));
  await all.click();
  await page.getByTestId("replay-said").getByText("15 replayed").waitFor();
  assert.equal(posted[1], "/api/v1/dead-letters/replay");
});

test("a refusal and a failure are told, and a replay under way lets nobody press", async ({ open }) => {
  const told = dead({ letters: kept() });
  told.answer = () => ({ status: 202, body: { number: 1 } });
  const { page } = await open(told);
  const said = page.getByTestId("replay-said");
  await page.getByTestId("replay-all").waitFor();
  told.letters = kept({ number: 1, over: 0 });
  await said.getByText("Replaying to journal:in/orders").waitFor();
  assert.ok(await page.getByTestId("replay-all").isDisabled() && await page.getByTestId("replay").isDisabled());
  told.letters = kept({ number: 1, over: 1, last_failed: 1, last_failure: "4002 \"in\" is locked" });
  await said.getByText("Not replayed: 4002 \"in\" is locked").waitFor();
});

await runTests(tests);
