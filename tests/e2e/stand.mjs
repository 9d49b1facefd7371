// A stand for the page without an engine: it answers as the service does, so that a test can show any state at will.
//
// What it tells is made up; whether the engine's own numbers arrive is tested with the engine, in page_test.mjs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

export const { chromium } = createRequire(new URL("../../ui/package.json", import.meta.url))("playwright-core");
export const kStandUrl = "http://stand.invalid";
const dist = new URL("../../ui/dist/", import.meta.url);
const kTypes = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css", svg: "image/svg+xml", woff2: "font/woff2", txt: "text/plain" };
const kHeaders = { "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" };
const kStart = Date.parse("2026-11-21T09:00:00Z");

/** A number in [0, 1) that depends on its seeds alone. */
export function noise(...seeds) {
  let state = 2166136261;
  for (const seed of seeds) state = Math.imul(state ^ (seed + 0x9e3779b9), 16777619) ^ (state >>> 13);
  return ((state ^ (state >>> 16)) >>> 0) / 4294967296;
}

export function component(name, kind, more = {}) {
  return {
    name, kind, tasks: 1, received: 120_400, processed: 120_400, filtered: 0, late: 0, dead_lettered: 0, in_flight: 0, emitted: 120_400,
    busy_share: 0.08, watermark: "2015-09-12T10:17:28.000Z", chain: 0, received_per_second: 512.4, emitted_per_second: 512.4, blocked_share: 0,
    step_us_p50: 11.5, step_us_p99: 83.1, step_us_max: 310, latency_us_p50: null, latency_us_p99: null, queued: 0, queue_fill: 0,
    lag_ms: 5000, skew: null, hot_key: null, closes_at: null, partitions: [], errors: [], ...more,
  };
}

export const edge = (from, to, grouping, more = {}) =>
  ({ from, to, grouping, sent: 120_400, received: 120_400, queued: 0, records_per_second: 512.4, queued_batches: 0, fill: 0, rings: 0, ...more });

export const task = (id, chain, index, executor, more = {}) =>
  ({ id, chain, index, executor, state: "running", received: 30_100, emitted: 812, received_per_second: 128.1, busy_share: 0.31, blocked_share: 0, queued: 4, queued_batches: 1, queue_fill: 0.06, running: "", running_us: 0, ...more });

export const view = (name, kind, columns, rows, more = {}) =>
  ({ name, kind, columns: columns.map(([column, type]) => ({ name: column, type })), rows, records: 1000 + rows.length, window_start: null, window_end: null,
     x: "", y: [], series: "", measure: "", unit: "", why_empty: null, lines: [], ...more });

/** An epoch, ten seconds after the one before. */
export const epoch = (id, more = {}) =>
  ({ id, state: "complete", at: new Date(kStart + id * 10_000).toISOString(), align_us: 8200, image_us: 310, write_us: 15_400, commit_us: 900, bytes: 1_048_576 + id, base: id % 5 === 0 ? 0 : id - 1, chain: id % 5, why: "", ...more });

export const checkpoints = (more = {}) =>
  ({ interval_ms: 10_000, completed: 187, failed: 1, age_ms: 4200, restored_from: 12, recent: [
    epoch(200, { state: "running", align_us: 0, image_us: 0, write_us: 0, commit_us: 0, bytes: 0 }), epoch(199), epoch(198),
    epoch(197, { state: "failed", write_us: 0, commit_us: 0, bytes: 0, why: "cannot write state/trending/epoch-197/part-0: the disk is full (ENOSPC)" }),
    ...Array.from({ length: 17 }, (_, i) => epoch(196 - i)),
  ], ...more });

/** A report of `seconds` seconds of a healthy run; `more` replaces its members. */
export function report(seconds, more = {}) {
  const components = more.components ?? [component("posts", "source"), component("counts", "count"), component("top", "view", { latency_us_p50: 400, latency_us_p99: 950 })];
  return {
    topology: "stand", version: "0.1.0", state: "running", error: "", uptime_ms: seconds * 1000 + 3, at: new Date(kStart + seconds * 1000).toISOString(), active: true,
    records_in: 512 * seconds, records_out: 101 * seconds, records_in_per_second: 480 + 60 * noise(seconds), records_out_per_second: 90 + 20 * noise(seconds, 1),
    latency_us_p50: 412.5, latency_us_p99: 1893, recent_latency_us_p50: 380 + 60 * noise(seconds, 2), recent_latency_us_p99: 900 + 700 * noise(seconds, 3),
    watermark: "2015-09-12T10:17:28.000Z", watermark_lag_ms: 5000, memory_bytes: 48_234_496 + 10_000 * seconds, memory_budget_bytes: 0, dead_letters: 0,
    executors: 2, parallelism: 4, speed: 1000, queued: 12, busy_share: 0.72, tasks_total: 0, insights: [], chains: [], tasks: [],
    components, edges: [edge("posts", "counts", "fields", { rings: 4, fill: 0.1 }), edge("counts", "top", "forward")],
    views: [view("Trending", "top", [["tag", "string"], ["rank", "int"], ["count", "int"]], [["#cpp", 1, 41], ["#rust", 2, 29], ["#go", 3, 12]])],
    recent_dead_letters: [], checkpoints: null, oracle: null, ...more,
  };
}

/** The engine's history over `samples` seconds that end `seconds` after the start. */
export function history(seconds, samples = 900) {
  const up = Array.from({ length: samples }, (_, i) => (seconds - samples + 1 + i) * 1000);
  const wave = (base, swing, seed) => up.map((at, i) => base + swing * (Math.sin(i / 60) + noise(i, seed) - 0.5));
  return {
    interval_ms: 1000, samples_max: 900, at: new Date(kStart + seconds * 1000).toISOString(), uptime_ms: up,
    records_in_per_second: wave(500, 60, 1), records_out_per_second: wave(100, 20, 2), latency_us_p50: wave(400, 60, 3), latency_us_p99: wave(1400, 500, 4),
    watermark_lag_ms: wave(5000, 800, 5), memory_bytes: up.map((_, i) => 40_000_000 + 9000 * i), busy_share: wave(0.7, 0.1, 6), queued: wave(20, 10, 7), dead_letters: up.map(() => 0),
  };
}

/** The dead letters that a run keeps; `more` replaces members. Without it the run keeps none. */
export const keptLetters = (more = {}) => ({
  number: 0, over: 0, last_failed: 0, last_failure: "", records: 0, before: 0, cut: 0, no_records: 0,
  folder: "", to: "", error: "", read: 0, older: 0, reasons: [], newest: [], ...more,
});

/** The same for one component. */
export const componentHistory = (name, seconds) => {
  const { interval_ms, at, uptime_ms, records_in_per_second, records_out_per_second, busy_share, queued } = history(seconds);
  return { name, interval_ms, at, uptime_ms, received_per_second: records_in_per_second, emitted_per_second: records_out_per_second, busy_share, queued };
};

const kTablesPath = "/api/v1/tables";

function answerOf(path, told) {
  if (path.startsWith("/api/v1/history/components/")) return componentHistory(decodeURIComponent(path.slice(27)), told.seconds);
  return { "/api/v1/history": told.history, "/api/v1/report": told.report, "/api/v1/tasks": { tasks: told.allTasks ?? told.report?.tasks ?? [] }, "/api/v1/dead-letters": told.letters ?? keptLetters(), [kTablesPath]: { tables: told.tables ?? [] }, "/api/v1/activate": { active: true }, "/api/v1/deactivate": { active: false } }[path] ?? null;
}

/**
 * Opens the page on the stand. `told`: {report, history, seconds, allTasks, letters, tables, rows(table, query), answer(path, query)}; `send(report)` pushes another one;
 * `lose()` ends the live connection, which the page then opens anew.
 * `wrong` collects what must not happen: errors, warnings, requests elsewhere.
 */
export async function openStand(browser, told, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const wrong = [];
  const posted = [];
  const sockets = new Set();
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && wrong.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`exception: ${error.message}`));
  page.on("request", (request) => { if (new URL(request.url()).origin !== kStandUrl) wrong.push(`request to ${request.url()}`); });
  await context.route("**/*", async (route) => {
    const { pathname, search } = new URL(route.request().url());
    if (route.request().method() === "POST") {
      posted.push(pathname + search);
      const answer = told.answer?.(pathname, new URLSearchParams(search));
      if (answer) return route.fulfill({ status: answer.status, headers: kHeaders, contentType: "application/json", body: JSON.stringify(answer.body) });
    }
    if (pathname.startsWith(`${kTablesPath}/`)) {
      const { status, body } = told.rows(decodeURIComponent(pathname.slice(kTablesPath.length + 1)), new URLSearchParams(search));
      return route.fulfill({ status, headers: kHeaders, contentType: "application/json", body: JSON.stringify(body) });
    }
    if (pathname === kTablesPath) told.listed = (told.listed ?? 0) + 1;
    if (pathname.startsWith("/api/")) {
      const body = answerOf(pathname, told);
      return route.fulfill({ status: body ? 200 : 404, headers: kHeaders, contentType: "application/json", body: JSON.stringify(body ?? { error: "there is nothing here" }) });
    }
    const name = pathname === "/" ? "index.html" : pathname.slice(1);
    let body = readFileSync(new URL(name, dist));
    if (name === "index.html" && told.first) {
      body = body.toString().replace("</body>", `<script type="application/json" id="millrace-first">${JSON.stringify({ report: told.report, history: told.history })}</script></body>`);
    }
    return route.fulfill({ headers: kHeaders, contentType: kTypes[name.split(".").at(-1)], body });
  });
  await page.routeWebSocket(/\/api\/v1\/live$/, (socket) => {
    sockets.add(socket);
    if (told.report) socket.send(JSON.stringify(told.report));
  });
  const send = (next) => {
    told.report = next;
    for (const socket of sockets) socket.send(JSON.stringify(next));
  };
  const lose = async () => {
    const lost = [...sockets];
    sockets.clear();
    for (const socket of lost) await socket.close();
  };
  await page.goto(`${kStandUrl}/${options.hash ?? ""}`);
  if (told.report) await page.getByTestId("page").waitFor();
  return { context, page, wrong, posted, send, lose };
}

/** A report with everything at once: what is wrong, tasks on executors, every kind of view. */
export function rich(seconds = 2000, more = {}) {
  const components = [
    component("posts", "source", { chain: 0, partitions: [{ name: "posts-0.jsonl", watermark: "2015-09-12T10:17:28.000Z", ended: false }, { name: "posts-1.jsonl", watermark: "2015-09-12T09:02:11.000Z", ended: false }, { name: "posts-2.jsonl", watermark: "end", ended: true }], blocked_share: 0.82, busy_share: 0.11,
      dead_lettered: 17, received: 120_417,
      acks: { tried: 120_409, acked: 117_300, failed: 9, timed_out: 2, replayed: 9, given_up: 0, pending: 1024, in_hand: 0, held: 2076, abandoned: 0, latency_us_p50: 1210.5, latency_us_p99: 4800.1,
        slowest: [{ first: "posts partition 1, message 40960", messages: 1024, age_ms: 73_000, moving: 3, held: 0, component: "counts" }, { first: "posts partition 0, message 77824", messages: 1024, age_ms: 61_000, moving: 0, held: 1, component: "" }] },
      errors: [{ reason: "the line is not JSON: a string is not closed", where: "posts-0.jsonl:8127", record: "{\"time\":\"2015-09-12T04:11:09.120Z\",\"tag\":\"Cor", count: 17, at: "2026-11-21T09:02:11Z" }] }),
    component("event time", "event_time", { chain: 0 }), component("english", "filter", { chain: 0, filtered: 71_000, processed: 49_400, emitted: 49_400 }),
    component("tags", "flat_map", { chain: 0 }),
    component("counts", "count", { chain: 1, tasks: 4, busy_share: 3.86, queue_fill: 0.97, queued: 3904, skew: { share: 0.61, even: 0.25, task: 3 }, hot_key: { text: "#breaking", share: 0.58, samples: 812 }, closes_at: "2015-09-12T10:20:00Z", late: 42, received: 120_442 }),
    component("top", "top", { chain: 2 }), component("Trending", "view", { chain: 2, latency_us_p50: 401, latency_us_p99: 953 }), component("Rate", "view", { chain: 0 }), component("log", "sink", { chain: 2 }),
  ];
  const edges = [
    edge("posts", "event time", "forward"), edge("event time", "english", "forward"), edge("english", "tags", "forward", { records_per_second: 210.2 }), edge("english", "Rate", "forward", { records_per_second: 210.2 }),
    edge("tags", "counts", "fields", { rings: 4, fill: 0.97, queued: 3904, records_per_second: 1_423_812 }), edge("counts", "top", "global", { rings: 4, fill: 0.55, queued: 512, records_per_second: 12_345 }),
    edge("top", "Trending", "forward", { records_per_second: 9.9 }), edge("top", "log", "forward", { records_per_second: 9.9 }),
  ];
  const chains = [
    { id: 0, components: ["posts", "event time", "english", "tags", "Rate"], tasks: 1, busy_share: 0.11, blocked_share: 0.82 },
    { id: 1, components: ["counts"], tasks: 4, busy_share: 3.86, blocked_share: 0 }, { id: 2, components: ["top", "Trending", "log"], tasks: 1, busy_share: 0.04, blocked_share: 0 },
  ];
  const tasks = [
    task(0, 0, 0, 0, { busy_share: 0.11, blocked_share: 0.82, state: "blocked" }),
    ...[0, 1, 2, 3].map((i) => task(1 + i, 1, i, i % 2, { busy_share: i === 3 ? 0.92 : 0.2 + i / 20, queue_fill: i === 3 ? 0.97 : 0.2 })), task(5, 2, 0, 1, { busy_share: 0.04, state: "idle", queue_fill: 0.55 }),
  ];
  const minute = 60_000;
  const base = Date.parse("2015-09-12T04:00:00Z");
  const points = (seed, n) => Array.from({ length: n }, (_, i) => [base + i * minute, 100 + 40 * Math.sin(i / 30 + seed) + 15 * noise(i, seed)]);
  const views = [
    view("Trending", "top", [["tag", "string"], ["rank", "int"], ["count", "int"], ["window_end", "timestamp"]],
      ["#breaking", "#cpp", "#weekend", "#a-rather-long-tag-that-does-not-fit-into-its-place", "#rain", "#news"].map((tag, i) => [tag, i + 1, 412 - 61 * i, "2015-09-12T10:15:00Z"]), { window_start: "2015-09-12T04:15:00Z", window_end: "2015-09-12T10:15:00Z" }),
    view("Price", "line", [["time", "timestamp"], ["symbol", "string"], ["price", "double"]], [["2015-09-12T10:00:00Z", "BTC", 131.2], ["2015-09-12T10:00:00Z", "ETH", 99.5]],
      { x: "time", y: ["price"], series: "symbol", unit: "USD", lines: [{ name: "BTC", points: points(1, 360) }, { name: "ETH", points: points(4, 360) }] }),
    view("Posts a second", "number", [["time", "timestamp"], ["rate", "double"]], [["2015-09-12T10:00:00Z", 1423.8]], { x: "time", y: ["rate"], unit: "/s", lines: [{ name: "rate", points: points(2, 200) }] }),
    view("Where", "grid", [["x", "int"], ["y", "int"], ["posts", "int"]], Array.from({ length: 240 }, (_, i) => [i % 20, Math.floor(i / 20), Math.round(900 * noise(i, 3) ** 3)]), { x: "x", y: ["y"], measure: "posts", window_start: "2015-09-12T10:00:00Z", window_end: "2015-09-12T10:15:00Z" }),
    view("Aircraft", "map", [["callsign", "string"], ["latitude", "double"], ["longitude", "double"], ["altitude", "int"]],
      Array.from({ length: 30 }, (_, i) => [`AF${100 + i}`, i === 7 ? null : 48.5 + noise(i, 5), i === 7 ? null : 1.7 + 1.7 * noise(i, 6), Math.round(36000 * noise(i, 7))]),
      { x: "longitude", y: ["latitude"], series: "callsign", measure: "altitude", unit: "ft", areas: [Array.from({ length: 72 }, (_, i) => [49.0097 + 0.27 * Math.cos(i * Math.PI / 36), 2.5479 + 0.41 * Math.sin(i * Math.PI / 36)])] }),
    view("Load of this machine", "alerts", [["time", "timestamp"], ["what", "string"], ["state", "string"], ["value", "double"]],
      [["2026-11-21T09:33:02Z", "memory", "raised", 91.2], ["2026-11-21T09:31:40Z", "cpu", "cleared", 42.5], ["2026-11-21T09:30:12Z", "cpu", "raised", 97.1]]),
    view("By language", "table", [["language", "string"], ["people", "int"], ["robots", "int"]], [["en", 520, 130], ["de", 210, 22], ["fr", 180, 90], ["vi", 12, 480]], { window_start: "2015-09-12T10:00:00Z", window_end: "2015-09-12T10:15:00Z" }),
    view("Slow pages", "table", [["page", "string"], ["ms", "int"]], [], { records: 0, why_empty: "\"counts\" has 4 open windows; the first closes when the watermark passes 10:20:00, and posts-1.jsonl holds it at 09:02:11." }),
  ];
  const insights = [
    { severity: "error", kind: "stuck", component: "log", text: "\"log\" has not returned for 12 s.", advice: "Its disk may be full or slow: look at what it writes to." },
    { severity: "warning", kind: "busy", component: "counts", text: "\"counts\" is busy 97 % of the time, and \"posts\" waits for it 82 % of the time.", advice: "Give it more tasks (--parallelism 8) or make its step cheaper." },
    { severity: "warning", kind: "hot_key", component: "counts", text: "Task 3 of \"counts\" takes 61 % of its records: \"#breaking\" is 58 % of them.", advice: "Count it with partial_key, or key by something finer." },
    { severity: "info", kind: "held_time", component: "posts", text: "The partition posts-1.jsonl holds event time back by 1 h 15 min.", advice: "It is read last: give the source more tasks, or mark it idle." },
  ];
  return report(seconds, { topology: "trending", components, edges, chains, tasks, tasks_total: tasks.length, views, insights, busy_share: 4.01, dead_letters: 17, checkpoints: checkpoints(),
    recent_dead_letters: [{ component: "posts", reason: "the line is not JSON: a string is not closed", where: "posts-0.jsonl:8127", record: "{\"time\":\"2015-09-12T04:11:09.120Z\",\"tag\":\"Cor", at: "2026-11-21T09:02:11.120Z" }], ...more });
}

/** Runs tests of the stand, `{name, run}`, says how each went, and sets the exit code. */
export async function runTests(tests) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  const chosen = tests.filter(({ name }) => name.includes(process.env.ONLY ?? ""));
  let failures = 0;
  for (const { name, run } of chosen) {
    const opened = [];
    const open = async (what, options) => { const one = await openStand(browser, what, options); opened.push(one); return one; };
    try {
      await run({ open, browser });
      for (const one of opened) assert.deepEqual(one.wrong, []);
      console.log(`ok    ${name}`);
    } catch (error) {
      failures++;
      console.log(`FAIL  ${name}\n${error.message}`);
    }
    for (const one of opened) await one.context.close();
  }
  await browser.close();
  console.log(`${chosen.length - failures} passed, ${failures} failed`);
  process.exitCode = failures === 0 ? 0 : 1;
}
