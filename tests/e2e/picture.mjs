// The pictures of the README: the page at MILLRACE_URL, 1280 px wide, light into the first file given, dark into the second.
import { launch, until } from "./program.mjs";

/** So many seconds of history make a picture. */
const kSamples = 45;

const [light, dark] = process.argv.slice(2);
const browser = await launch();
for (const [colorScheme, path] of [["light", light], ["dark", dark]]) {
  if (!path) continue;
  // Bars that are moving to a new rank would lie over each other.
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", colorScheme });
  await page.goto(process.env.MILLRACE_URL);
  await page.getByTestId("component").first().waitFor();
  await until("a history to show", async () => Number(await page.locator(".strip").getAttribute("data-samples")) >= kSamples, 120_000);
  await until("rows in every view", () => page.getByTestId("view").evaluateAll((views) => views.every((view) => Number(view.dataset.rows) > 0)), 120_000);
  await page.screenshot({ path, fullPage: true });
}
await browser.close();
