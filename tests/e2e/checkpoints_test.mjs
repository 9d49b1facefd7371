// The checkpoints of a run on the page, and a run that starts again from one: on the stand.
//
// [CHROMIUM=/usr/bin/chromium] [ONLY=words of a name] node checkpoints_test.mjs; needs `npm ci --ignore-scripts` in ui.
import assert from "node:assert/strict";
import { until } from "./program.mjs";
import { checkpoints, epoch, history, report, runTests } from "./stand.mjs";

const kSeconds = 2000;
const tests = [];
const test = (name, run) => tests.push({ name, run });
const told = (what) => ({ report: what, history: history(kSeconds), seconds: kSeconds });

test("a run that restarts is not over, says why it failed, and goes on", async ({ open }) => {
  const { page, send } = await open(told(report(kSeconds)));
  await page.clock.install();
  await page.reload();
  const state = page.getByTestId("state");
  await state.waitFor();
  await page.clock.fastForward(60_000);
  await page.getByTestId("notice-lost").waitFor();
  const error = "\"log\" cannot write: the disk is full (4012); free space.";
  send(report(kSeconds + 1, { state: "restarting", error }));
  await page.getByTestId("notice-restarting").getByText(error).waitFor();
  assert.equal(await state.getAttribute("data-state"), "restarting");
  assert.match(await state.textContent(), /^restarting ran 33.min 21.s$/);
  assert.equal(await page.getByTestId("link").textContent(), "live");
  assert.equal(await page.getByTestId("notice-failed").count() + await page.getByTestId("calm").count() + await page.getByTestId("pause").count(), 0);
  // Nothing is reported until the next start: that is no lost connection.
  await page.getByTestId("notice-lost").waitFor({ state: "detached" });
  await page.clock.fastForward(60_000);
  await page.clock.runFor(2000);
  assert.equal(await page.getByTestId("notice-lost").count(), 0);
  send(report(1));
  await until("it runs", async () => (await state.getAttribute("data-value")) === "running");
  assert.equal(await page.getByTestId("notice-restarting").count(), 0);
});

test("a run that restores says how far it is, and then shows what it does", async ({ open }) => {
  const restoring = (bytes, left_ms) => report(1, { state: "restoring", components: [], edges: [], views: [], restore: { bytes, bytes_all: 3e9, left_ms } });
  const { page, send } = await open(told(restoring(6e8, 8000)));
  await page.getByTestId("restore").waitFor();
  const state = page.getByTestId("state");
  assert.equal(await state.getAttribute("data-state"), "restoring");
  assert.match(await state.textContent(), /^restoring up /);
  assert.equal(await page.getByTestId("restore-read").textContent(), "600\u202fMB of 3.00\u202fGB are read");
  assert.equal(await page.getByTestId("restore-left").textContent(), "8\u202fs left");
  assert.equal(await page.getByTestId("pause").count() + await page.getByTestId("calm").count() + await page.getByTestId("checkpoints").count(), 0);
  const share = () => page.getByTestId("restore-bar").evaluate((bar) => bar.position);
  assert.equal(await share(), 0.2);
  send(restoring(15e8, 5000));
  await until("half of it is read", async () => (await share()) === 0.5);
  send(report(2));
  await until("it runs", async () => (await state.getAttribute("data-value")) === "running");
  assert.equal(await page.getByTestId("restore").count(), 0);
});

const figure = (page, id) => page.getByTestId(id).textContent();
const lateKind = '[data-testid="insight"][data-kind="late_checkpoint"]';

test("checkpoints: figures, phases and the reason of a failure are those of the report", async ({ open }) => {
  const kept = checkpoints();
  const { page } = await open(told(report(kSeconds, { checkpoints: kept })));
  await page.getByTestId("checkpoints").getByText("every 10\u202fs").waitFor();
  assert.equal(await page.getByTestId("checkpoint-age").getAttribute("data-value"), "4200");
  assert.equal(await figure(page, "checkpoint-age"), "4.2\u202fs ago");
  assert.deepEqual(await Promise.all(["completed", "failed", "restored"].map((id) => figure(page, `checkpoints-${id}`))), ["187", "1", "epoch 12"]);
  assert.equal(await page.locator(".checkpoints .alarm").count() + await page.locator(lateKind).count(), 0);
  assert.equal(await page.getByTestId("calm").count(), 1);
  const rows = await page.getByTestId("checkpoint-row").evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.dataset.value)));
  const ms = (us) => (us === 0 ? "" : String(us / 1000));
  assert.deepEqual(rows, kept.recent.map((one) =>
    [String(one.id), one.at, one.state, ms(one.align_us), ms(one.image_us), ms(one.write_us), ms(one.commit_us), ...(one.state !== "complete" ? ["", "", ""] : [String(one.bytes), one.base === 0 ? "all" : `changes of ${one.base}`, String(one.chain)]), one.why]));
});

test("checkpoints: late after three intervals, in the panel and under what is wrong", async ({ open }) => {
  const at = (age_ms, more = {}) => report(kSeconds + age_ms / 1000, { checkpoints: checkpoints({ age_ms, ...more }) });
  const { page, send } = await open(told(at(30_000)));
  const alarm = page.locator(".checkpoints .alarm", { has: page.getByTestId("checkpoint-age") });
  await page.getByTestId("checkpoints").waitFor();
  assert.equal(await alarm.count() + await page.locator(lateKind).count(), 0, "three intervals are not late");
  send(at(31_000));
  await page.locator(lateKind).getByText("No epoch has been complete for 31\u202fs; one is due every 10\u202fs.").waitFor();
  assert.equal(await alarm.count(), 1);
  assert.equal(await page.getByTestId("calm").count(), 0);
  const failed = { recent: [epoch(201, { state: "failed", why: "the disk is full" }), epoch(200)] };
  send(at(32_000, failed));
  await page.locator(lateKind).getByText("The newest failed: the disk is full.").waitFor();
  assert.equal(await page.locator(".checkpoints .alarm", { has: page.getByTestId("checkpoints-failed") }).count(), 1);
  send({ ...at(33_000), insights: [{ severity: "error", kind: "stuck", component: "", text: "stuck", advice: "" }, { severity: "info", kind: "paused", component: "", text: "paused", advice: "" }] });
  await until("three", async () => (await page.getByTestId("insight").count()) === 3);
  assert.deepEqual(await page.getByTestId("insight").evaluateAll((all) => all.map((one) => one.dataset.kind)), ["stuck", "late_checkpoint", "paused"]);
  send({ ...at(34_000), state: "finished" });
  await page.locator(lateKind).waitFor({ state: "detached" });
  assert.equal(await alarm.count(), 0, "a run that is over makes none");
});

test("checkpoints: a run without a complete one says so, one without a state folder has no panel", async ({ open }) => {
  const none = checkpoints({ completed: 0, failed: 0, age_ms: null, restored_from: null, recent: [] });
  const { page, send } = await open(told(report(9, { checkpoints: none })));
  await page.getByTestId("checkpoints").getByText("No epoch so far: the first begins 10\u202fs after the start.").waitFor();
  assert.equal(await figure(page, "checkpoint-age"), "none yet");
  assert.equal(await figure(page, "checkpoints-restored"), "nothing: it began anew");
  assert.equal(await page.locator(lateKind).count(), 0);
  send(report(31, { checkpoints: none }));
  await page.locator(lateKind).waitFor();
  send(report(32, { checkpoints: { ...none, completed: 900, interval_ms: 10, age_ms: 90 } }));
  await page.locator(lateKind).waitFor({ state: "detached" });
  send(report(33, { checkpoints: null }));
  await page.getByTestId("checkpoints").waitFor({ state: "detached" });
  send(report(34, { checkpoints: none }));
  await page.getByTestId("checkpoints").waitFor();
  send(report(35, { checkpoints: undefined }));
  await page.getByTestId("checkpoints").waitFor({ state: "detached" });
});

await runTests(tests);
