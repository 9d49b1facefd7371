// Starts a program with a page on a free port, and the browser that looks at it.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";

export const { chromium } = createRequire(new URL("../../ui/package.json", import.meta.url))("playwright-core");

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

/** The program, the address of its page, and how it will have ended. */
export async function startProgram(path, args) {
  const program = spawn(path, [...args, "--ui", "127.0.0.1:0"]);
  let said = "";
  let output = "";
  program.stdout.on("data", (text) => (output += text));
  const ended = new Promise((resolve) => program.on("close", (code) => resolve({ code, output })));
  const url = await new Promise((resolve, reject) => {
    program.stderr.on("data", (text) => {
      said += text;
      const found = /page is at (http:\S+)/.exec(said);
      if (found) resolve(found[1]);
    });
    program.on("error", reject);
    program.on("close", () => reject(new Error(`the program ended before it had a page: ${said}`)));
  });
  return { program, url, ended };
}

/** Asks until the answer is one, for at most `limit` milliseconds. */
export async function until(what, condition, limit = 30_000) {
  const end = Date.now() + limit;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() >= end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Runs one test, says how it went, and sets the exit code. */
export async function report(name, run) {
  let failure = null;
  try {
    await run();
  } catch (error) {
    failure = error;
  }
  console.log(failure ? `FAIL  ${name}\n${failure.message}` : `ok    ${name}`);
  console.log(failure ? "0 passed, 1 failed" : "1 passed, 0 failed");
  process.exitCode = failure ? 1 : 0;
}
