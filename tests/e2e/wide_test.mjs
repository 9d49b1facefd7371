// The page of a topology with 500 components, 10,000 points and 1,000 cells, as the engine runs it.
//
// WIDE=build/release/bin/wide_topology node wide_test.mjs; needs `npm ci --ignore-scripts` in ui.
import assert from "node:assert/strict";
import { launch, report, startProgram, until } from "./program.mjs";

const kComponents = 500;
// Points are thinned out: at least half of the 10,000 that a line may keep stay.
const kPoints = 5_000;
const kCells = 1_000;

async function look(page, url) {
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  await page.goto(url);
  await until("500 boxes", async () => (await page.getByTestId("component").count()) === kComponents);
  const last = (await (await fetch(`${url}/api/v1/report`)).json()).components.at(-1).name;
  const received = () => page.locator(`[data-node="${last}"]`).getAttribute("data-received");
  const before = Number(await received());
  await until("new numbers at the last component", async () => Number(await received()) > before);
  const shown = await page.getByTestId("component").evaluateAll((boxes) => boxes.map((box) => box.dataset.name));
  const { components } = await (await fetch(`${url}/api/v1/report`)).json();
  assert.deepEqual(shown, components.map((one) => one.name));
  await until("10,000 points and 1,000 cells", async () => Number(await page.getByTestId("line-view").getAttribute("data-points")) >= kPoints &&
    Number(await page.getByTestId("grid-view").getAttribute("data-cells")) === kCells);
  const blocks = await page.evaluate(() => new Promise((resolve) => {
    const seen = [];
    new PerformanceObserver((list) => seen.push(...list.getEntries().map((entry) => entry.duration))).observe({ entryTypes: ["longtask"] });
    let reports = 0;
    new MutationObserver(() => { if (++reports === 4) resolve(seen); }).observe(document.querySelector('[data-testid="uptime"]'), { characterData: true, subtree: true, childList: true });
  }));
  console.log(`      500 components of the engine: longest block of the page over 4 reports ${Math.round(Math.max(0, ...blocks))} ms`);
  await page.keyboard.press("/");
  await page.keyboard.type(last);
  await page.keyboard.press("Enter");
  await page.getByTestId("inspector").waitFor();
  assert.equal(await page.getByTestId("inspector").getAttribute("data-name"), last);
  assert.deepEqual(wrong, []);
}

await report("500 components of a running program are shown, kept up to date and found", async () => {
  const { program, url, ended } = await startProgram(process.env.WIDE ?? "build/release/bin/wide_topology", [String(kComponents), "--duration", "10min", "--speed", "100"]);
  const browser = await launch();
  try {
    const page = await browser.newPage({ viewport: { width: 1600, height: 1000 }, reducedMotion: "reduce" });
    await look(page, url);
    if (process.env.MILLRACE_SCREENSHOT) await page.screenshot({ path: process.env.MILLRACE_SCREENSHOT });
  } finally {
    await browser.close();
    program.kill("SIGTERM");
    await ended;
  }
});
