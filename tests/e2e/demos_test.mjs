// The pages of `demo posts` and `demo machine`: what a viewer is promised to see within a minute.
//
// MILLRACE=build/release/bin/millrace [MILLRACE_SCREENSHOT=demos.png] node demos_test.mjs; needs `npm ci --ignore-scripts` in ui.
import assert from "node:assert/strict";
import { launch, startProgram } from "./program.mjs";

const kMinuteMs = 60_000;

/** The rows that a view shows now, as objects by column. */
const rowsOf = (page, name) => page.evaluate((wanted) => {
  const view = [...document.querySelectorAll('[data-testid="view"]')].find((e) => e.dataset.name === wanted);
  return view ? [...view.querySelectorAll('[data-testid="view-row"]')].map((row) => JSON.parse(row.dataset.row)) : [];
}, name);

/** Asks the server until its newest report satisfies `condition`. */
async function reported(url, what, condition) {
  const end = Date.now() + 2 * kMinuteMs;
  while (Date.now() < end) {
    const answer = await fetch(`${url}/api/v1/report`);
    const report = answer.ok ? await answer.json() : null;
    if (report && condition(report)) return report;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`never: ${what}`);
}

const viewOf = (report, name) => report.views.find((view) => view.name === name);
const objects = (view) => view.rows.map((row) => Object.fromEntries(view.columns.map((column, at) => [column.name, row[at]])));

async function posts(page, url) {
  await page.goto(url);
  await page.getByTestId("page").waitFor();
  const seen = await reported(url, "a planted trend that was seen", (report) =>
    objects(viewOf(report, "Planted trends")).some((row) => row.outcome === "seen"));
  assert.ok(seen.uptime_ms < kMinuteMs, `a viewer waited ${seen.uptime_ms} ms for the first trend`);
  await page.waitForFunction(() => [...document.querySelectorAll('[data-testid="view"]')]
    .some((view) => view.dataset.name === "Planted trends" && view.innerText.includes("seen")));
  for (const name of ["Top hashtags", "Trending now"]) {
    const rows = await rowsOf(page, name);
    assert.ok(rows.length > 0 && rows.every((row) => typeof row.hashtag === "string"), name);
  }
  const outcomes = await rowsOf(page, "Planted trends");
  const first = outcomes.find((row) => row.outcome === "seen");
  assert.ok(first.seen_after_s > 0 && first.seen_after_s <= 240, `seen after ${first.seen_after_s} s`);
  assert.ok(outcomes.every((row) => row.outcome !== "false alarm"));
  const filters = seen.components.filter((c) => ["english", "spanish", "japanese"].includes(c.name));
  assert.equal(filters.length, 3);
}

async function machine(page, url) {
  await page.goto(url);
  await page.getByTestId("page").waitFor();
  const report = await reported(url, "an alert and a line of a few points", (newest) =>
    viewOf(newest, "Alerts").rows.length > 0 && viewOf(newest, "Processors over time").lines.some((line) => line.points.length > 2));
  const memory = viewOf(report, "Memory");
  assert.equal(memory.kind, "number");
  assert.ok(objects(memory)[0].value > 0 && objects(memory)[0].value <= 100);
  await page.waitForFunction(() => [...document.querySelectorAll('[data-testid="view"]')]
    .some((view) => view.dataset.name === "Alerts" && view.innerText.includes("raised")));
  const names = await page.evaluate(() => [...document.querySelectorAll('[data-testid="view"]')].map((view) => view.dataset.name));
  for (const view of report.views) assert.ok(names.includes(view.name), view.name);
}

const flows = [
  ["a viewer of demo posts sees a planted trend within a minute", ["demo", "posts"], posts],
  ["demo machine shows this computer, and an alert that a flag forces",
    ["demo", "machine", "--memory-high", "0", "--samples", "1", "--interval", "200ms"], machine],
];
let failures = 0;
const browser = await launch();
for (const [name, args, look] of flows) {
  const { program, url, ended } = await startProgram(process.env.MILLRACE ?? "build/release/bin/millrace", args);
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  try {
    await look(page, url);
    assert.deepEqual(wrong, []);
    if (process.env.MILLRACE_SCREENSHOT)
      await page.screenshot({ path: process.env.MILLRACE_SCREENSHOT.replace(/\.png$/, `-${args[1]}.png`), fullPage: true });
    console.log(`ok    ${name}`);
  } catch (error) {
    failures++;
    console.log(`FAIL  ${name}\n${error.message}`);
  }
  await page.close();
  program.kill("SIGINT");
  await ended;
}
await browser.close();
console.log(`${flows.length - failures} passed, ${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
