// The page of a demo that comes to its end: its last picture is the program's own summary.
//
// MILLRACE=build/release/bin/millrace [MILLRACE_SCREENSHOT=end.png] node end_test.mjs; needs `npm ci --ignore-scripts` in ui.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../../ui/package.json", import.meta.url))("playwright-core");
const kEditsPerDay = 39_244;
const kOracleRows = 5_142;

/** Starts the demo on a free port: the address it prints, and what it writes until it ends. */
async function start() {
  const demo = spawn(process.env.MILLRACE ?? "build/release/bin/millrace",
    ["demo", "--ui", "127.0.0.1:0", "--limit", String(kEditsPerDay), "--speed", "8000", "--json"]);
  let said = "";
  let summary = "";
  demo.stdout.on("data", (text) => (summary += text));
  const ended = new Promise((resolve) => demo.on("close", (code) => resolve({ code, summary })));
  const url = await new Promise((resolve, reject) => {
    demo.stderr.on("data", (text) => {
      said += text;
      const found = /page is at (http:\S+)/.exec(said);
      if (found) resolve(found[1]);
    });
    demo.on("close", () => reject(new Error(`the demo ended before it had a page: ${said}`)));
  });
  return { demo, url, ended };
}

const { demo, url, ended } = await start();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
let failure = null;
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  // That nobody answers once the program has ended is no fault of the page.
  page.on("console", (m) => m.type() === "error" && !m.text().includes("ERR_CONNECTION_REFUSED") && wrong.push(m.text()));
  await page.goto(url);
  await page.locator('[data-testid="state"][data-value="finished"]').waitFor({ timeout: 60_000 });
  const { code, summary } = await ended;
  assert.equal(code, 0);
  const told = JSON.parse(summary);
  const value = (id) => page.getByTestId(id).getAttribute("data-value");
  assert.equal(told.records_in, kEditsPerDay);
  assert.equal(await value("records-in"), String(told.records_in));
  assert.equal(await value("records-out"), String(told.records_out));
  assert.equal(await value("dead-letters"), "0");
  assert.equal(await value("watermark"), "end");
  assert.equal(await value("watermark-lag"), "");
  assert.equal(await value("oracle-rows"), String(kOracleRows));
  assert.equal(await value("oracle-wrong"), "0");
  const views = await page.evaluate(() => Object.fromEntries([...document.querySelectorAll('[data-testid="view"]')].map((view) =>
    [view.dataset.name, [...view.querySelectorAll('[data-testid="view-row"]')]
      .sort((a, b) => a.dataset.rank - b.dataset.rank).map((row) => JSON.parse(row.dataset.row))])));
  for (const [name, rows] of Object.entries(told.views)) {
    assert.ok(rows.length > 0, name);
    for (const [at, row] of rows.entries()) {
      for (const [column, cell] of Object.entries(views[name][at])) assert.deepEqual(cell, row[column], `${name}, row ${at}, ${column}`);
    }
  }
  await page.getByTestId("notice-ended").waitFor({ timeout: 5000 });
  assert.equal(await page.getByTestId("notice-lost").count(), 0);
  if (process.env.MILLRACE_SCREENSHOT) await page.screenshot({ path: process.env.MILLRACE_SCREENSHOT, fullPage: true });
  assert.deepEqual(wrong, []);
} catch (error) {
  failure = error;
} finally {
  await browser.close();
  if (demo.exitCode === null) demo.kill("SIGKILL");
}
console.log(failure ? `FAIL  the end of a run\n${failure.message}` : "ok    the end of a run is its summary, and the oracle agrees");
console.log(failure ? "0 passed, 1 failed" : "1 passed, 0 failed");
process.exitCode = failure ? 1 : 0;
