// The page of a demo that comes to its end: its last picture is the program's own summary.
//
// MILLRACE=build/release/bin/millrace [MILLRACE_SCREENSHOT=end.png] node end_test.mjs; needs `npm ci --ignore-scripts` in ui.
import assert from "node:assert/strict";
import { launch, report, startProgram } from "./program.mjs";

const kEditsPerDay = 39_244;
const kOracleRows = 5_142;

async function look(page, url, ended) {
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  // That nobody answers once the program has ended is no fault of the page.
  page.on("console", (m) => m.type() === "error" && !m.text().includes("ERR_CONNECTION_REFUSED") && wrong.push(m.text()));
  await page.goto(url);
  await page.locator('[data-testid="state"][data-value="finished"]').waitFor({ timeout: 60_000 });
  const { code, output } = await ended;
  assert.equal(code, 0);
  const told = JSON.parse(output);
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
}

await report("the end of a run is its summary, and the oracle agrees", async () => {
  const { program, url, ended } = await startProgram(process.env.MILLRACE ?? "build/release/bin/millrace",
    ["demo", "--limit", String(kEditsPerDay), "--speed", "8000", "--json"]);
  const browser = await launch();
  try {
    await look(await browser.newPage({ viewport: { width: 1280, height: 900 } }), url, ended);
  } finally {
    await browser.close();
    if (program.exitCode === null) program.kill("SIGKILL");
  }
});
