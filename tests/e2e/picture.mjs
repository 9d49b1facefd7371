// The pictures of the README: the pages of the demos, 1280 px wide, into the folder given.
//
// MILLRACE=build/release/bin/millrace node picture.mjs FOLDER
import { launch, startProgram, until } from "./program.mjs";

/** So many seconds of history make a picture. */
const kSamples = 60;
const kWaitMs = 180_000;

const pictures = [
  { demo: ["demo"], themes: { light: "page.png", dark: "page-dark.png" } },
  { demo: ["demo", "posts"], themes: { light: "posts.png" } },
  { demo: ["demo", "machine"], themes: { light: "machine.png" } },
];

/** Every view has something to show; alerts may have nothing to tell. */
const filled = (page) => page.getByTestId("view").evaluateAll((views) => views.every((view) => Number(view.dataset.rows) > 0 || view.dataset.kind === "alerts"));

const folder = process.argv[2];
const browser = await launch();
for (const { demo, themes } of pictures) {
  const { program, url, ended } = await startProgram(process.env.MILLRACE ?? "build/release/bin/millrace", demo);
  for (const [colorScheme, name] of Object.entries(themes)) {
    // Bars that are moving to a new rank would lie over each other.
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", colorScheme });
    await page.goto(url);
    await page.getByTestId("component").first().waitFor();
    await until("a history to show", async () => Number(await page.locator(".strip").getAttribute("data-samples")) >= kSamples, kWaitMs);
    await until("rows in every view", () => filled(page), kWaitMs);
    await page.screenshot({ path: `${folder}/${name}`, fullPage: true });
    await page.close();
  }
  program.kill("SIGTERM");
  await ended;
}
await browser.close();
