// The page of a demo whose process is killed again and again: it comes back by itself, with all it showed.
//
// MILLRACE=build/release/bin/millrace [MILLRACE_SCREENSHOT=kills.png] node kills_test.mjs; needs `npm ci --ignore-scripts` in ui.
import assert from "node:assert/strict";
import { launch, report, startProgram, until } from "./program.mjs";

const kKills = 3;

async function look(page, url) {
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  await page.goto(url);
  await page.evaluate(() => { window.sameDocument = true; });
  const value = async (id) => Number(await page.getByTestId(id).getAttribute("data-value"));
  const samples = async () => Number(await page.locator(".strip").getAttribute("data-samples"));
  const rows = () => page.locator('[data-testid="view-row"]').count();
  let before = 0;
  for (let kills = 1; kills <= kKills; kills++) {
    await until(`kill ${kills} is told of`, async () => (await page.getByTestId("oracle-kills").count()) > 0 && (await value("oracle-kills")) >= kills, 60_000);
    await page.locator('[data-link="open"]').waitFor();
    assert.ok(await samples() > before, "figures of before the kill are still shown");
    before = await samples();
    assert.ok(await rows() > 10, "views show what they showed");
    assert.deepEqual([await value("oracle-lost"), await value("oracle-doubled"), await value("oracle-wrong")], [0, 0, 0]);
  }
  // A process has had no time for so many, one a second.
  assert.ok(before >= 2 * kKills, `${before} samples`);
  assert.match(await page.locator(".oracle").textContent(), /^killed \d+ times: lost 0, doubled 0, wrong 0 of [\d,\u202f]+ rows$/);
  assert.equal(await page.locator(".oracle.alarm").count(), 0);
  assert.ok(await page.evaluate(() => window.sameDocument), "it was not loaded anew");
  if (process.env.MILLRACE_SCREENSHOT) await page.screenshot({ path: process.env.MILLRACE_SCREENSHOT, fullPage: true });
  assert.deepEqual(wrong, []);
}

await report("the page of a demo that is killed comes back, and counts", async () => {
  const { program, url } = await startProgram(process.env.MILLRACE ?? "build/release/bin/millrace", ["demo", "--kill", "4s"]);
  const browser = await launch();
  try {
    await look(await browser.newPage({ viewport: { width: 1280, height: 900 } }), url);
  } finally {
    await browser.close();
    if (program.exitCode === null) program.kill("SIGKILL");
  }
});
