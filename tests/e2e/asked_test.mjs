// The tables that can be asked, and what a pattern keeps: on the stand, and the engine's own beside what REST answers.
//
// [CHROMIUM=/usr/bin/chromium] ASKED=build/release/bin/asked_topology [MILLRACE_SCREENSHOT=asked.png] node asked_test.mjs; needs `npm ci --ignore-scripts` in ui.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { startProgram, until } from "./program.mjs";
import { component, edge, history, report, runTests } from "./stand.mjs";

const kSeconds = 2000;
const axe = readFileSync(createRequire(new URL("../../ui/package.json", import.meta.url)).resolve("axe-core/axe.min.js"), "utf8");
const tests = [];
const test = (name, run) => tests.push({ name, run });
const asked = (name, more = {}) => ({ name, key: ["city"], windowed: false, keep_ms: null, columns: [{ name: "city", type: "string" }, { name: "count", type: "int" }], rows: 3, bytes: 900, watermark: "2015-09-12T06:00:00Z", ...more });
const kRows = [{ city: "Oslo", count: 2 }, { city: "Paris", count: 12 }, { city: "Rome", count: 3 }];
const stand = (tables, more = {}) => ({ report: report(kSeconds), history: history(kSeconds), seconds: kSeconds, tables, ...more });
const rowsOf = (page) => page.getByTestId("asked-row").evaluateAll((rows) => rows.map((row) => JSON.parse(row.dataset.row)));
const textsOf = (page) => page.getByTestId("asked-row").evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText)));

test("a topology without tables has no such panel, and is asked once", async ({ open }) => {
  const told = stand([]);
  const { page } = await open(told);
  await page.waitForTimeout(2500);
  assert.equal(await page.getByTestId("asked-tables").count(), 0);
  assert.equal(told.listed, 1);
});

test("tables are listed with rows, windows and how long they keep them, and kept up to date", async ({ open }) => {
  const told = stand([asked("users"), asked("per minute", { windowed: true, keep_ms: 600_000, rows: 5142, watermark: "end" }), asked("soon", { rows: null, bytes: null, watermark: null })]);
  const { page } = await open(told);
  const line = (name) => page.locator(`[data-testid="asked-table"][data-name="${name}"]`);
  await line("users").waitFor();
  assert.deepEqual(await line("users").locator("td").allInnerTexts(), ["users", "city", "none", "3", "900", "12 Sep 2015, 06:00:00"]);
  assert.deepEqual(await line("per minute").locator("td").allInnerTexts(), ["per minute", "city", "a row of each, kept for 10\u202fmin 00\u202fs", "5,142", "900", "the end of input"]);
  assert.deepEqual(await line("soon").locator("td").allInnerTexts(), ["soon", "city", "none", "\u2013", "\u2013", "none so far"]);
  told.tables = [asked("users", { rows: 4 }), ...told.tables.slice(1)];
  await until("the new number", async () => (await line("users").getAttribute("data-rows")) === "4");
});

test("a key, a beginning, all and the next page are asked as REST wants them", async ({ open }) => {
  const questions = [];
  const told = stand([asked("users"), asked("a/b & c")], {
    rows: (name, query) => {
      questions.push([name, query.toString()]);
      return { status: 200, body: { table: name, watermark: "2015-09-12T06:00:00Z", rows: query.has("after") ? [kRows[2]] : kRows.slice(0, 2), next: query.has("after") ? null : "AVJv" } };
    },
  });
  const { page } = await open(told);
  await page.getByTestId("asked-show").click();
  await until("two rows", async () => (await rowsOf(page)).length === 2);
  assert.deepEqual(await textsOf(page), [["Oslo", "2"], ["Paris", "12"]]);
  await page.getByTestId("asked-next").click();
  await page.getByTestId("asked-said").getByText("Row 3").waitFor();
  assert.deepEqual(await rowsOf(page), [kRows[2]]);
  assert.equal(await page.getByTestId("asked-next").count(), 0);
  await page.getByTestId("asked-text").fill("Rome & co");
  await page.getByTestId("asked-text").press("Enter");
  await page.getByTestId("asked-said").getByText("Rows 1 to 2").waitFor();
  await page.getByText("Key begins with").click();
  await page.getByTestId("asked-choice").selectOption("a/b & c");
  assert.equal(await page.getByTestId("asked-row").count(), 0, "the rows of the other table are gone");
  await page.getByTestId("asked-show").click();
  await page.getByTestId("asked-row").first().waitFor();
  assert.deepEqual(questions, [["users", "limit=20"], ["users", "limit=20&after=AVJv"], ["users", "key=Rome+%26+co&limit=20"], ["a/b & c", "prefix=Rome+%26+co&limit=20"]]);
});

test("a refusal is told in the engine's words, no row in few", async ({ open }) => {
  const told = stand([asked("users", { key: ["city", "id"] })], { rows: () => ({ status: 200, body: { table: "users", watermark: null, rows: [], next: null } }) });
  const { page, wrong } = await open(told);
  await page.getByTestId("asked-viewer").getByText("A key is a JSON list of city, id").waitFor();
  await page.getByTestId("asked-show").click();
  await page.getByTestId("asked-said").getByText("No row is there.").waitFor();
  told.rows = () => ({ status: 503, body: { error: "the table \"users\" is being restored: ask again in a moment" } });
  await page.getByTestId("asked-show").click();
  await page.getByTestId("asked-said").getByText("is being restored: ask again in a moment").waitFor();
  assert.ok(wrong.every((one) => one.includes("503")) && wrong.length === 1);
  wrong.length = 0;  // the browser says it, too
});

for (const [what, options] of [["light", { colorScheme: "light" }], ["dark", { colorScheme: "dark" }], ["narrow", { viewport: { width: 360, height: 800 } }]]) {
  test(`the panel can be used by everybody: ${what}`, async ({ open }) => {
    const wide = asked("users", { columns: [...asked("users").columns, { name: "list", type: "string" }] });
    const told = stand([wide, asked("per minute", { windowed: true, keep_ms: 600_000 })], {
      rows: () => ({ status: 200, body: { table: "users", watermark: "end", rows: kRows.map((row) => ({ ...row, list: ["a", { b: 1 }] })), next: "x" } }),
    });
    const { page } = await open(told, options);
    await page.getByTestId("asked-show").click();
    await page.getByTestId("asked-row").first().waitFor();
    assert.deepEqual((await textsOf(page))[0], ["Oslo", "2", "[\"a\",{\"b\":1}]"]);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run("[data-testid=asked-tables]"));
    assert.deepEqual(violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`), []);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), "nothing sticks out");
  });
}

test("what a component keeps is named in its details, and a pattern's box says how many are open", async ({ open }) => {
  const metrics = [{ name: "partial_matches", kind: "gauge", value: 100_000 }, { name: "keys_with_partial_matches", kind: "gauge", value: 1 }, { name: "took", kind: "timer", value: 9, count: 2, p50: 1500, p99: 2000, max: 2000 }];
  const components = [component("visits", "source"), component("stays", "match", { metrics, state_bytes: 13_400_000 })];
  const insights = [{ severity: "warning", kind: "partial_matches", component: "stays", text: "\"stays\" keeps 100,000 partial matches of 1 key, in 13.4 MB.", advice: "A shorter within() ends them sooner." }];
  const told = (kept) => report(kSeconds + kept / 1000, { components: [components[0], { ...components[1], metrics: [{ ...metrics[0], value: kept }, ...metrics.slice(1)] }], edges: [edge("visits", "stays", "fields")], insights });
  const { page, send } = await open({ ...stand([]), report: told(999) });
  await page.locator('[data-node="stays"]').waitFor();
  assert.equal(await page.getByTestId("partial-matches").count(), 0, "few are no news");
  for (const [kept, text] of [[1234, "1,200 partial"], [11_263, "11\u202fk partial"], [1_250_000, "1.3\u202fM partial"], [100_000, "100\u202fk partial"]]) {
    send(told(kept));
    await page.getByTestId("partial-matches").getByText(text, { exact: true }).waitFor();
    assert.ok(await page.getByTestId("partial-matches").evaluate((span) => span.scrollWidth <= span.clientWidth), `${text} is whole`);
  }
  assert.ok(await page.locator('[data-node="stays"].warning').count());
  await page.locator('[data-node="stays"] button').click();
  const inspector = page.getByTestId("inspector");
  assert.deepEqual(await inspector.getByTestId("figure").allInnerTexts().then((all) => all.map((one) => one.replace(/\s+/g, " "))), ["partial matches 100,000", "keys with partial matches 1", "took 1.50 ms p50 2.00 ms p99"]);
  await inspector.getByText("13.4\u202fMB", { exact: true }).waitFor();
  await inspector.getByText("keeps 100,000 partial matches").waitFor();
});

/** The engine at rest, so that two who ask are answered alike. */
async function engine({ browser }) {
  const { program, url, ended } = await startProgram(process.env.ASKED ?? "build/release/bin/asked_topology", ["--duration", "10min"]);
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce" });
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  const rest = async (path, more) => (await fetch(`${url}/api/v1/${path}`, more)).json();
  try {
    const stays = async () => (await rest("report")).components.find((one) => one.name === "stays");
    const partial = (one) => one.metrics.find((metric) => metric.name === "partial_matches").value;
    await until("5,000 visits of all users", async () => partial(await stays()) >= 5_000);
    await rest("deactivate", { method: "POST", headers: { "X-Millrace": "1" } });
    let before = null;
    await until("the engine is at rest", async () => {
      const now = JSON.stringify([partial(await stays()), (await rest("tables")).tables]);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const same = now === before;
      before = now;
      return same;
    });
    await page.goto(url);
    const { tables } = await rest("tables");
    assert.deepEqual(tables.map((one) => one.name), ["visits", "per second"]);
    await until("the tables as REST lists them", async () => {
      const shown = await page.getByTestId("asked-table").evaluateAll((lines) => lines.map((line) => [line.dataset.name, line.dataset.rows, line.dataset.windowed]));
      return JSON.stringify(shown) === JSON.stringify(tables.map((one) => [one.name, String(one.rows), String(one.windowed)]));
    });
    assert.equal(tables[0].rows, 240);
    for (const [table, how, text, query] of [["visits", "Key is", "user 007", "key=user+007"], ["visits", "Key begins with", "user 01", "prefix=user+01"], ["per second", "Key is", "user 100", "key=user+100"], ["visits", "Key is", "nobody", "key=nobody"]]) {
      await page.getByTestId("asked-choice").selectOption(table);
      await page.getByText(how, { exact: true }).click();
      await page.getByTestId("asked-text").fill(text);
      await page.getByTestId("asked-show").click();
      await page.getByTestId("asked-said").waitFor();
      const told = await rest(`tables/${encodeURIComponent(table)}?${query}&limit=20`);
      assert.deepEqual(await rowsOf(page), told.rows, `${table} ${query}`);
      assert.equal(await page.getByTestId("asked-next").count(), told.next === null ? 0 : 1);
      if (text === "user 01") assert.equal(told.rows.length, 10);
      if (table === "per second") assert.ok(told.rows.length > 0 && told.rows.every((row) => row.window_start < row.window_end));
    }
    await page.getByTestId("asked-text").fill("");
    await page.getByTestId("asked-show").click();
    const seen = [];
    for (;;) {
      await page.getByTestId("asked-said").getByText(`Rows ${seen.length + 1} to`).waitFor();
      seen.push(...await rowsOf(page));
      if (await page.getByTestId("asked-next").count() === 0) break;
      await page.getByTestId("asked-next").click();
    }
    assert.deepEqual(seen, (await rest("tables/visits?limit=1000")).rows, "page by page all rows come, once each");
    const kept = await stays();
    await page.locator('[data-node="stays"] button').click();
    assert.equal(await page.locator('[data-testid="figure"][data-name="partial_matches"]').getAttribute("data-value"), String(partial(kept)));
    assert.equal(await page.getByTestId("partial-matches").getAttribute("data-value"), String(partial(kept)));
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.ok(metrics.includes(`millrace_user_level{component="stays",name="partial_matches"} ${partial(kept)}\n`), "Prometheus says the same");
    assert.ok(metrics.includes(`millrace_component_state_bytes{component="stays"} ${kept.state_bytes}\n`) && kept.state_bytes > 0);
    if (process.env.MILLRACE_SCREENSHOT) await page.screenshot({ path: process.env.MILLRACE_SCREENSHOT, fullPage: true });
    assert.deepEqual(wrong, []);
  } finally {
    await page.close();
    program.kill("SIGINT");
    await ended;
  }
}
test("a running program's tables, rows and partial matches are those that REST tells", engine);

await runTests(tests);
