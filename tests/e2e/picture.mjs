// The picture of the README: the page at MILLRACE_URL, 1280 px wide, into the file given.
import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../../ui/package.json", import.meta.url))("playwright-core");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
// Bars that are moving to a new rank would lie over each other.
const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
await page.goto(process.env.MILLRACE_URL);
await page.getByTestId("page").waitFor({ timeout: 10_000 });
await page.waitForTimeout(2500);
await page.screenshot({ path: process.argv[2], fullPage: true });
await browser.close();
