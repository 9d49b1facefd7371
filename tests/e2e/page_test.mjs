// The page in Debian's Chromium: what it shows is what the server reports.
//
// MILLRACE_URL=http://127.0.0.1:8080 [MILLRACE_SCREENSHOT=page.png] [CHROMIUM=/usr/bin/chromium] node page_test.mjs
// Needs `npm ci --ignore-scripts` in ui. Works on a running topology too: it compares page and report of one moment.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { launch, until } from "./program.mjs";

const require = createRequire(new URL("../../ui/package.json", import.meta.url));
const axePath = require.resolve("axe-core/axe.min.js");

const url = process.env.MILLRACE_URL?.replace(/\/$/, "");
assert.ok(url, "set MILLRACE_URL to the address that the program prints");
const screenshot = process.env.MILLRACE_SCREENSHOT;
const kMomentsTried = 40;
const kFirstPaintMs = 300;

const tests = [];
const test = (name, run) => tests.push({ name, run });

/** Opens the page, and notes everything that must not happen. */
async function open(browser, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && wrong.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`exception: ${error.message}`));
  page.on("dialog", (dialog) => { wrong.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => {
    const target = new URL(request.url());
    if (target.origin !== new URL(url).origin) wrong.push(`request to ${target.origin}`);
  });
  page.on("websocket", (socket) => new URL(socket.url()).host === new URL(url).host || wrong.push(`WebSocket to ${socket.url()}`));
  return { context, page, wrong };
}

async function shown(page) {
  await page.goto(url);
  await page.getByTestId("page").waitFor({ timeout: 10_000 });
  await page.getByTestId("component").first().waitFor();
}

/** All that the page shows, read in one step, so that it is of one report. */
const readPage = () => {
  const id = (name, root = document) => [...root.querySelectorAll(`[data-testid="${name}"]`)];
  const values = Object.fromEntries([".masthead", ".strip"].flatMap((part) =>
    [...document.querySelectorAll(`${part} [data-value]`)].map((e) => [e.dataset.testid, e.dataset.value])));
  return {
    values,
    topology: id("topology-name")[0]?.textContent,
    components: id("component").map((e) => ({ name: e.dataset.name, received: e.dataset.received, emitted: e.dataset.emitted,
      busy: id("busy", e)[0].dataset.value, text: e.innerText })),
    edges: id("edge").map((e) => ({ from: e.dataset.from, to: e.dataset.to, rate: e.dataset.value, text: e.innerText })),
    views: id("view").map((e) => ({
      name: e.dataset.name, kind: e.dataset.kind, rows: Number(e.dataset.rows), records: id("view-records", e)[0].dataset.value,
      window: id("window", e).map((w) => [w.dataset.start, w.dataset.end])[0] ?? [null, null],
      shown: id("view-row", e).map((r) => ({ rank: Number(r.dataset.rank), row: JSON.parse(r.dataset.row), text: r.innerText }))
        .sort((a, b) => a.rank - b.rank),
    })),
    deadLetters: id("dead-letter").map((e) => e.innerText),
  };
};

/** The page and the report of the same moment. */
async function moment(page) {
  for (let i = 0; i < kMomentsTried; i++) {
    const report = await (await fetch(`${url}/api/v1/report`)).json();
    const picture = await page.evaluate(readPage);
    if (picture.values.uptime === String(report.uptime_ms)) return { report, picture };
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail("the page never showed the newest report");
}

const exact = (value) => (value === null ? "" : String(value));
/** The text of a cell as the page writes it: real numbers to six digits. */
const cellText = (cell) => cell === null ? "\u2013" : typeof cell === "boolean" ? (cell ? "yes" : "no")
  : typeof cell !== "number" ? cell : (Number.isInteger(cell) ? cell : Number(cell.toPrecision(6))).toLocaleString("en-US", { maximumFractionDigits: 12 });

test("the health strip shows the numbers of the report", async ({ page }) => {
  await shown(page);
  const { report, picture } = await moment(page);
  const fields = {
    state: "state", uptime: "uptime_ms", "records-in": "records_in", "records-out": "records_out",
    "records-in-rate": "records_in_per_second", "records-out-rate": "records_out_per_second",
    // Recent latency where the engine tells it.
    "latency-p50": "recent_latency_us_p50" in report ? "recent_latency_us_p50" : "latency_us_p50",
    "latency-p99": "recent_latency_us_p99" in report ? "recent_latency_us_p99" : "latency_us_p99", watermark: "watermark",
    "watermark-lag": "watermark_lag_ms", memory: "memory_bytes", "dead-letters": "dead_letters",
  };
  for (const [id, field] of Object.entries(fields)) assert.equal(picture.values[id], exact(report[field]), id);
  assert.equal(picture.values["oracle-rows"], report.oracle ? exact(report.oracle.rows) : undefined);
  assert.equal(picture.values["oracle-wrong"], report.oracle ? exact(report.oracle.wrong) : undefined);
  assert.equal(picture.topology, report.topology);
  if (report.oracle) assert.equal(report.oracle.wrong, 0, "the oracle finds no wrong row");
});

test("the graph shows every component and every edge", async ({ page }) => {
  await shown(page);
  const { report, picture } = await moment(page);
  assert.deepEqual(picture.components.map(({ text, ...numbers }) => numbers),
    report.components.map((c) => ({ name: c.name, received: exact(c.received), emitted: exact(c.emitted), busy: exact(c.busy_share) })));
  for (const component of picture.components) assert.ok(component.text.includes(component.name), `${component.name} is readable`);
  assert.deepEqual(picture.edges.map(({ text, ...numbers }) => numbers),
    report.edges.map((e) => ({ from: e.from, to: e.to, rate: exact(e.records_per_second) })));
});

test("the rows of each view are those of the REST answer", async ({ page }) => {
  await shown(page);
  const { report, picture } = await moment(page);
  assert.deepEqual(picture.views.map((v) => v.name), report.views.map((v) => v.name));
  for (const [i, view] of report.views.entries()) {
    const seen = picture.views[i];
    assert.equal(seen.kind, view.kind);
    assert.equal(seen.rows, view.rows.length);
    assert.equal(seen.records, exact(view.records));
    if (view.window_end) assert.deepEqual(seen.window, [view.window_start, view.window_end]);
    const expected = view.rows.map((row) => Object.fromEntries(view.columns.map((column, c) => [column.name, row[c]])));
    assert.ok(seen.shown.length === expected.length || (expected.length > 100 && seen.shown.length >= 100));
    for (const [r, { rank, row, text }] of seen.shown.entries()) {
      assert.equal(rank, r);
      assert.deepEqual(row, expected[r], `${view.name}, row ${r}`);
      for (const [c, column] of view.columns.entries()) {
        // An alert that was raised or cleared says so in those words.
        const said = column.type === "timestamp" || (view.kind === "alerts" && column.type === "bool");
        if (!said) assert.ok(text.includes(cellText(view.rows[r][c])), `${view.name}, row ${r} shows ${column.name}`);
      }
    }
  }
  const finished = report.state !== "running" && report.state !== "draining";
  for (const view of finished ? report.views : []) {
    const alone = await (await fetch(`${url}/api/v1/views/${encodeURIComponent(view.name)}`)).json();
    assert.deepEqual(alone, view);
  }
});

test("dead letters are listed when there are any", async ({ page }) => {
  await shown(page);
  const { report, picture } = await moment(page);
  assert.equal(picture.deadLetters.length, report.recent_dead_letters.length);
  for (const [i, letter] of report.recent_dead_letters.entries()) {
    assert.ok(picture.deadLetters[i].includes(letter.reason) && picture.deadLetters[i].includes(letter.where), letter.reason);
  }
});

test("bars of a ranking are in their places", async ({ browser, watch }) => {
  // Without motion: while ranks change, bars on their way to new places lie between the others.
  const { page } = watch(await open(browser, { viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" }));
  await shown(page);
  const places = await page.evaluate(() => [...document.querySelectorAll('[data-kind="top"]')].map((view) =>
    [...view.querySelectorAll('[data-testid="view-row"]')]
      .map((row) => ({ rank: Number(row.dataset.rank), top: row.getBoundingClientRect().top }))
      .sort((a, b) => a.rank - b.rank).map((row) => row.top)));
  for (const tops of places) assert.deepEqual(tops, [...tops].sort((a, b) => a - b));
});

/** What cannot be read: boxes without size or over each other, names and figures that are cut. */
const unreadable = () => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const boxes = all('[data-testid="component"]').map((e) => ({ name: e.dataset.name, ...e.getBoundingClientRect().toJSON() }));
  const wrong = boxes.filter((b) => b.width < 80 || b.height < 30).map((b) => `${b.name} has no size`);
  for (const [i, a] of boxes.entries()) {
    for (const b of boxes.slice(i + 1)) {
      if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) wrong.push(`${a.name} lies over ${b.name}`);
    }
  }
  const graph = document.querySelector(".graph");
  if (boxes.length > 0 && graph.clientHeight < 30) wrong.push("the graph has no height");
  for (const e of all(".figure, .tile dt, .tile .note, .box-head b, .box-foot")) {
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0) wrong.push(`cut: ${e.innerText}`);
  }
  for (const e of all(".bars .label")) if (e.clientWidth < 60) wrong.push(`no room: ${e.innerText}`);
  for (const e of all(".bars .fill")) {
    if (Math.abs(e.offsetWidth - e.parentElement.offsetWidth) > 1) wrong.push("a bar does not span its row");
  }
  return wrong;
};

test("everything can be read, wide and narrow", async ({ browser, watch }) => {
  for (const width of [1280, 800, 360]) {
    const one = watch(await open(browser, { viewport: { width, height: 900 } }));
    await shown(one.page);
    assert.deepEqual(await one.page.evaluate(unreadable), [], `at ${width} px`);
  }
});

test("at 360 px nothing is wider than the screen", async ({ browser, watch }) => {
  const narrow = watch(await open(browser, { viewport: { width: 360, height: 740 } }));
  await shown(narrow.page);
  const widths = await narrow.page.evaluate(() => [document.documentElement.scrollWidth, document.body.scrollWidth, innerWidth]);
  assert.ok(widths[0] <= 360 && widths[1] <= 360 && widths[2] === 360, `widths ${widths}`);
  if (screenshot) await narrow.page.screenshot({ path: screenshot.replace(/\.png$/, "-360.png"), fullPage: true });
});

test("a lost connection is said, and made again", async ({ browser, watch }) => {
  const lost = watch(await open(browser, {}));
  let sockets = 0;
  let cut;
  await lost.page.routeWebSocket(/\/api\/v1\/live$/, (socket) => {
    sockets++;
    if (sockets === 2) return void socket.close();  // the first try again fails as well
    const server = socket.connectToServer();
    cut = () => { server.close(); socket.close(); };
  });
  await shown(lost.page);
  assert.equal(await lost.page.getByTestId("notice-lost").count(), 0);
  cut();
  await lost.page.getByTestId("notice-lost").waitFor({ timeout: 3000 });
  assert.match(await lost.page.getByTestId("notice-lost").innerText(), /^Connection lost\./);
  await lost.page.getByTestId("notice-lost").waitFor({ state: "detached", timeout: 8000 });
  assert.equal(await lost.page.getByTestId("link").innerText(), "live");
  assert.equal(sockets, 3);
});

test("bars in parts show the numbers of their row", async ({ page }) => {
  await shown(page);
  const wrong = await page.evaluate(() => [...document.querySelectorAll(".bars.stacked > li")].flatMap((row) => {
    const parts = [...row.querySelectorAll(".part")].map((part) => Number(part.dataset.value));
    const total = Number(row.querySelector(".number").dataset.value);
    const known = Object.values(JSON.parse(row.dataset.row));
    return parts.reduce((sum, part) => sum + part, 0) === total && parts.every((part) => known.includes(part)) ? [] : [row.innerText];
  }));
  assert.deepEqual(wrong, []);
  const legends = await page.getByTestId("legend").allInnerTexts();
  assert.equal(legends.length, await page.locator(".bars.stacked").count());
});

test("the tables hold the numbers of the graph", async ({ page }) => {
  await shown(page);
  await page.locator(".twin summary").click();
  await page.locator(".twin table").nth(1).waitFor();
  const { report } = await moment(page);
  const names = await page.evaluate(() => [...document.querySelectorAll(".twin table")].map((table) =>
    [...table.querySelectorAll("tbody tr")].map((row) => row.cells[0].textContent)));
  assert.deepEqual(names, [report.components.map((c) => c.name), report.edges.map((e) => e.from)]);
  await page.getByRole("columnheader", { name: "received" }).first().getByRole("button").click();
  const sorted = await page.locator(".twin table").first().locator("tbody tr td:nth-child(4)").evaluateAll((cells) => cells.map((cell) => Number(cell.dataset.value)));
  assert.deepEqual(sorted, [...sorted].sort((a, b) => b - a), "largest first after one press");
});

test("axe finds nothing serious, wide and narrow", async ({ browser, watch }) => {
  for (const width of [1280, 360]) {
    const one = watch(await open(browser, { viewport: { width, height: 900 }, reducedMotion: "reduce" }));
    await shown(one.page);
    await one.page.evaluate(readFileSync(axePath, "utf8"));  // the page itself may load no such script
    const { violations } = await one.page.evaluate(() => globalThis.axe.run());
    const grave = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
    assert.deepEqual(grave.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join("; ")}`), [], `at ${width} px`);
  }
});

test("the first paint needs at most 300 ms of the browser, with figures in it", async ({ browser, watch }) => {
  const clock = [];
  const work = [];
  for (let i = 0; i < 5; i++) {
    const { page, context } = watch(await open(browser, { viewport: { width: 1280, height: 900 } }));
    const devtools = await context.newCDPSession(page);
    // Time of the processor: that of the clock says how busy the machine is with other things.
    await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
    await page.goto(url, { waitUntil: "commit" });
    await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0 && document.querySelector('[data-testid="health"]'));
    const { metrics } = await devtools.send("Performance.getMetrics");
    work.push(1000 * metrics.find((one) => one.name === "TaskDuration").value);
    clock.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
  }
  const text = (list) => list.sort((a, b) => a - b).map((ms) => Math.round(ms)).join(", ");
  console.log(`      first paint after ${text(clock)} ms by the clock, ${text(work)} ms of work`);
  assert.ok(work[2] <= kFirstPaintMs, `the first paint needs ${text(work)} ms`);
});

test("the history that a reload shows is the engine's", async ({ page }) => {
  const kept = await (await fetch(`${url}/api/v1/history`)).json();
  if (kept.error) return;  // an engine without history
  await shown(page);
  const samples = async () => Number(await page.locator(".strip").getAttribute("data-samples"));
  await until("the samples of before", async () => (await samples()) >= kept.uptime_ms.length);
});

test("component details hold the numbers of the report", async ({ page }) => {
  await shown(page);
  const { report } = await moment(page);
  const chosen = report.components[0].name;
  await page.getByTestId("component").first().getByRole("button").click();
  await page.getByTestId("inspector").waitFor();
  const counts = await until("the same moment", async () => {
    const seen = await page.evaluate(() => ({ uptime: document.querySelector('[data-testid="uptime"]').dataset.value, text: document.querySelector(".counts").innerText }));
    const now = await (await fetch(`${url}/api/v1/report`)).json();
    return String(now.uptime_ms) === seen.uptime ? { text: seen.text, one: now.components.find((c) => c.name === chosen) } : null;
  });
  for (const name of ["received", "processed", "emitted"]) assert.ok(counts.text.includes(counts.one[name].toLocaleString("en-US")), `${name} of ${chosen}`);
  await page.keyboard.press("Escape");
  assert.equal(await page.getByTestId("inspector").count(), 0);
});

test("motion stops where it is not wanted", async ({ browser, watch }) => {
  const still = watch(await open(browser, { reducedMotion: "reduce" }));
  await shown(still.page);
  const moving = await still.page.evaluate(() => document.getAnimations().length);
  assert.equal(moving, 0);
});

await until("rows in every view", async () => {
  const answer = await fetch(`${url}/api/v1/report`);
  return answer.ok && (await answer.json()).views.every((view) => view.rows.length > 0);
}, 120_000);
const browser = await launch();
let failures = 0;
for (const { name, run } of tests) {
  const opened = [];
  const watch = (one) => (opened.push(one), one);
  try {
    const { page } = watch(await open(browser, { viewport: { width: 1280, height: 900 } }));
    await run({ page, browser, watch });
    for (const one of opened) assert.deepEqual(one.wrong, []);
    console.log(`ok    ${name}`);
  } catch (error) {
    failures++;
    console.log(`FAIL  ${name}\n${error.message}`);
  }
  for (const one of opened) await one.context.close();
}
if (screenshot) {
  const { page, context } = await open(browser, { viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
  await shown(page);
  await page.screenshot({ path: screenshot, fullPage: true });
  await context.close();
}
await browser.close();
console.log(`${tests.length - failures} passed, ${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
