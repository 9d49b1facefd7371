// Views on the page: each kind has its picture and a table; lines of many points; maps: on the stand.
//
// [CHROMIUM=/usr/bin/chromium] [ONLY=words of a name] node views_test.mjs; needs `npm ci --ignore-scripts` in ui.
import assert from "node:assert/strict";
import { until } from "./program.mjs";
import { history, noise, report, rich, runTests, view } from "./stand.mjs";

const kSeconds = 2000;
const tests = [];
const test = (name, run) => tests.push({ name, run });
const told = (what = rich()) => ({ report: what, history: history(kSeconds), seconds: kSeconds });
const tenThousand = (second) => report(second, { views: [view("Price", "line", [["time", "timestamp"], ["price", "double"]], [["2015-09-12T10:00:00Z", 100 + second]],
  { x: "time", y: ["price"], records: second, lines: [{ name: "price", points: Array.from({ length: 10_000 }, (_, i) => [Date.parse("2015-09-12T00:00:00Z") + 1000 * i, i === 7777 ? 1e6 : 100 + 30 * noise(i, second)]) }] })] });

test("each kind of view has its picture, and a table with the same numbers", async ({ open }) => {
  const { page } = await open(told());
  const base = rich();
  for (const { name, kind, rows, columns } of base.views.filter((one) => one.rows.length > 0)) {
    const card = page.locator(`[data-testid="view"][data-name="${name}"]`);
    if (kind === "line") assert.equal(await card.getByTestId("line-view").getAttribute("data-points"), "720");
    if (kind === "grid") assert.equal(await card.getByTestId("grid-view").getAttribute("data-cells"), String(rows.length));
    if (kind === "map") {
      const map = card.getByTestId("map-view");
      assert.equal(await map.getAttribute("data-places"), String(rows.length - 1), "what has no place is not drawn");
      assert.equal(await map.locator("path.area").count(), 1);
      await map.getByRole("slider").focus();
      await page.keyboard.press("ArrowRight");
      const [callsign, latitude, longitude] = rows[0];
      assert.ok((await map.locator(".readout").innerText()).startsWith(`${callsign}: ${latitude.toFixed(4)}, ${longitude.toFixed(4)}, altitude `));
    }
    if (kind === "table") continue;
    await card.getByRole("button", { name: `${name} as a table` }).click();
    if (kind === "line") {
      const first = await card.getByTestId("series-table").locator("tbody tr").first().locator("td").evaluateAll((cells) => cells.map((cell) => Number(cell.dataset.value)));
      assert.deepEqual(first, base.views[1].lines.map((line) => line.points.at(-1)[1]));
      continue;
    }
    const shown = await card.getByTestId("view-row").evaluateAll((found) => found.map((row) => JSON.parse(row.dataset.row)));
    assert.deepEqual(shown, rows.slice(0, 200).map((row) => Object.fromEntries(columns.map((column, i) => [column.name, row[i]]))));
  }
  const states = await page.locator('[data-name="Load of this machine"]').getByRole("button", { name: /as a table/ }).click()
    .then(() => page.locator('[data-name="Load of this machine"] [data-state]').evaluateAll((rows) => rows.map((row) => row.dataset.state)));
  assert.deepEqual(states, ["raised", "cleared", "raised"]);
  assert.equal(await page.getByTestId("raised-now").innerText(), "1 raised now: memory");
});

test("tables sort by the head that is pressed, and back", async ({ open }) => {
  const { page } = await open(told());
  const card = page.locator('[data-name="By language"]');
  const order = () => card.getByTestId("view-row").evaluateAll((rows) => rows.map((row) => JSON.parse(row.dataset.row).language));
  const head = card.getByRole("columnheader", { name: "robots" });
  await head.getByRole("button").click();
  assert.deepEqual(await order(), ["vi", "en", "fr", "de"]);
  assert.equal(await head.getAttribute("aria-sort"), "descending");
  await head.getByRole("button").click();
  assert.deepEqual(await order(), ["de", "fr", "en", "vi"]);
  await head.getByRole("button").click();
  assert.deepEqual(await order(), ["en", "de", "fr", "vi"]);
});

test("10,000 points: drawn as few, no peak lost, read by key at once", async ({ open }) => {
  const { page, send } = await open(told(tenThousand(kSeconds)));
  const chart = page.locator('[data-name="Price"] [data-testid="chart"]');
  assert.equal(await chart.getAttribute("data-points"), "10000");
  const d = await chart.locator("path.curve").getAttribute("d");
  const points = d.split(/[ML]/).length - 1;
  const width = await chart.evaluate((e) => e.clientWidth);
  assert.ok(points <= 4 * width, `${points} points on ${width} px`);
  assert.ok(d.split(/[ML]/).some((point) => Number(point.split(" ")[1]) <= 8.1), "the one peak is drawn to the top");
  const took = [];
  for (let i = 1; i <= 5; i++) {
    const from = Date.now();
    send(tenThousand(kSeconds + i));
    const row = page.locator('[data-name="Price"]');
    await until("the new points", async () => (await row.getByTestId("view-records").getAttribute("data-value")) === String(kSeconds + i));
    took.push(Date.now() - from);
  }
  console.log(`      10,000 points: a new picture after ${took.sort((a, b) => a - b)[2]} ms`);
  const plot = chart.getByRole("slider");
  await plot.focus();
  const from = await page.evaluate(() => performance.now());
  for (let i = 0; i < 40; i++) await page.keyboard.press("ArrowLeft");
  const each = (await page.evaluate(() => performance.now()) - from) / 40;
  console.log(`      10,000 points: ${each.toFixed(1)} ms a key press`);
  assert.equal(await plot.getAttribute("aria-valuenow"), String(9999 - 40));
  assert.ok(each < 60, `${each} ms a key press`);
});

test("the axis of values that hardly move tells them apart, uncut", async ({ open }) => {
  const prices = Array.from({ length: 500 }, (_, i) => [Date.parse("2015-09-12T00:00:00Z") + 1000 * i, 40_000 + 80 * Math.sin(i / 50)]);
  const { page } = await open(told(report(kSeconds, { views: [view("Price", "line", [["time", "timestamp"], ["price", "double"]], [["2015-09-12T10:00:00Z", 1]],
    { x: "time", y: ["price"], unit: "USD", lines: [{ name: "price", points: prices }] })] })));
  const chart = page.locator('[data-name="Price"]').getByTestId("chart");
  const texts = await chart.locator(".axes g text").allTextContents();
  assert.ok(texts.length >= 3 && new Set(texts).size === texts.length && texts.every((text) => Number(text.replace(",", "")) > 39_000), `${texts}`);
  const cut = await chart.evaluate((e) => { const left = e.getBoundingClientRect().left; return [...e.querySelectorAll(".axes text")].filter((text) => text.getBoundingClientRect().left < left - 1).length; });
  assert.equal(cut, 0);
});

await runTests(tests);
