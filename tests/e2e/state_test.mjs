// Every state of the page, light and dark, wide and narrow, by pointer and by key: on the stand, so that each can be had at will.
//
// [CHROMIUM=/usr/bin/chromium] [ONLY=words of a name] node state_test.mjs; needs `npm ci --ignore-scripts` in ui.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { component, edge, history, noise, report, rich, runTests, view } from "./stand.mjs";

const axePath = createRequire(new URL("../../ui/package.json", import.meta.url)).resolve("axe-core/axe.min.js");
const kSeconds = 2000;
const tests = [];
const test = (name, run) => tests.push({ name, run });
const told = (what = rich()) => ({ report: what, history: history(kSeconds), seconds: kSeconds });

async function until(what, condition, limit = 20_000) {
  const end = Date.now() + limit;
  for (;;) {
    const value = await condition();
    if (value) return value;
    assert.ok(Date.now() < end, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number).reduce((a, b) => a + b) / 3);

test("the system's theme is followed, and the chosen one is kept", async ({ open }) => {
  const light = await open(told(), { colorScheme: "light" });
  assert.ok(await ground(light.page) > 200);
  const { page } = await open(told(), { colorScheme: "dark" });
  assert.ok(await ground(page) < 60);
  await page.getByTestId("theme").click();
  assert.ok(await ground(page) > 200, "light after the press");
  await page.reload();
  await page.getByTestId("page").waitFor();
  assert.ok(await ground(page) > 200, "light after a reload");
  await page.keyboard.press("t");
  assert.ok(await ground(page) < 60, "dark by key");
});

test("a reload shows the 15 minutes before it, also without a live message", async ({ open }) => {
  const { page } = await open({ ...told(), first: true });
  await until("900 samples", async () => Number(await page.locator(".strip").getAttribute("data-samples")) >= 900);
  await page.locator('[data-metric="latency"] .trend').click();
  const chart = page.getByTestId("history").getByTestId("chart");
  assert.ok(Number(await chart.getAttribute("data-points")) >= 900);
  const kept = history(kSeconds);
  await page.getByTestId("history").getByRole("button", { name: "Table" }).click();
  const rows = page.getByTestId("series-table").locator("tbody tr");
  const last = await rows.first().locator("td").evaluateAll((cells) => cells.map((cell) => Number(cell.dataset.value)));
  assert.deepEqual(last, [kept.latency_us_p50.at(-1), kept.latency_us_p99.at(-1)]);
});

test("the strip is read by pointer and by key, all figures at one moment", async ({ open }) => {
  const { page } = await open(told());
  await until("samples", async () => Number(await page.locator(".strip").getAttribute("data-samples")) >= 900);
  const kept = history(kSeconds);
  const trend = page.locator('[data-metric="dead"] .trend');
  await trend.focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowLeft");
  const memory = page.locator('[data-metric="memory"] .figure');
  const at = kept.memory_bytes.at(-4);
  assert.equal((await memory.innerText()).replace(/\s/g, ""), `${(at / 1e6).toFixed(1)}MB`);
  assert.match(await page.locator('[data-metric="in"] .note').innerText(), /^at \d\d:\d\d:\d\d$/);
  await page.keyboard.press("Escape");
  await until("now again", async () => !(await page.locator('[data-metric="in"] .note').innerText()).startsWith("at "));
  const box = await page.locator('[data-metric="in"] .trend').boundingBox();
  await page.mouse.move(box.x + 4, box.y + box.height / 2);
  await until("the past", async () => (await page.locator('[data-metric="load"] .note').innerText()).startsWith("at "));
});

test("the graph is walked by key: arrows, Enter, Esc", async ({ open }) => {
  const { page } = await open(told());
  await page.locator('[data-node="posts"]').waitFor();
  await page.keyboard.press("g");
  const focused = () => page.evaluate(() => document.activeElement?.closest("[data-node]")?.dataset.node ?? document.activeElement?.tagName);
  assert.equal(await focused(), "posts");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, "solid", "focus is seen");
  for (const [key, name] of [["ArrowRight", "event time"], ["ArrowRight", "english"], ["ArrowLeft", "event time"]]) {
    await page.keyboard.press(key);
    assert.equal(await focused(), name, key);
  }
  await page.keyboard.press("Enter");
  await page.getByTestId("inspector").waitFor();
  assert.equal(await page.getByTestId("inspector").getAttribute("data-name"), "event time");
  assert.equal(new URL(page.url()).hash, "#component=event%20time");
  await page.keyboard.press("Escape");
  await page.getByTestId("inspector").waitFor({ state: "detached" });
  assert.equal(await focused(), "event time", "the focus stays");
  const before = await page.locator(".drawing").evaluate((e) => e.getBoundingClientRect().width);
  await page.keyboard.press("+");
  await until("larger", async () => await page.locator(".drawing").evaluate((e) => e.getBoundingClientRect().width) > before * 1.1);
});

test("Tab reaches everything that can be pressed, and the focus is seen on each", async ({ open }) => {
  const { page } = await open(told());
  await page.locator('[data-node="posts"]').waitFor();
  const reached = new Set();
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press("Tab");
    const on = await page.evaluate(() => {
      const e = document.activeElement;
      if (!e || e === document.body) return null;
      const style = getComputedStyle(e);
      return { id: e.dataset.n ??= `${Math.random()}`, seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0, what: e.outerHTML.slice(0, 90) };
    });
    if (!on) break;
    assert.ok(on.seen, `no focus seen on ${on.what}`);
    reached.add(on.id);
  }
  const missed = await page.evaluate(() => [...document.querySelectorAll("button, a[href], input, summary, [tabindex='0']")]
    .filter((e) => e.tabIndex >= 0 && e.checkVisibility() && !e.dataset.n).map((e) => e.outerHTML.slice(0, 90)));
  assert.deepEqual(missed, []);
  assert.ok(reached.size > 15);
});

test("? lists the keys, Esc closes", async ({ open }) => {
  const { page } = await open(told());
  await page.keyboard.press("?");
  const dialog = page.getByTestId("shortcuts");
  await until("open", () => dialog.evaluate((e) => e.open));
  assert.match(await dialog.innerText(), /find a component/);
  await page.keyboard.press("Escape");
  await until("closed", async () => !(await dialog.evaluate((e) => e.open)));
  await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
  await until("open again", () => dialog.evaluate((e) => e.open));
});

test("details tell what the engine tells of a component", async ({ open }) => {
  const { page } = await open(told(), { hash: "#component=counts" });
  const details = page.getByTestId("inspector");
  await details.waitFor();
  await until("its course", async () => Number(await details.getByTestId("chart").getAttribute("data-points")) >= 900);
  const text = (await details.innerText()).replace(/\s+/g, " ");
  for (const said of ["97 %", "#breaking 58 % of samples", "61 % to task 3, even is 25 %", "10:20:00", "busy 97 % of the time", "42"]) assert.ok(text.includes(said), `${said} in ${text}`);
  assert.equal(await details.getByTestId("task-row").count(), 4);
  await page.evaluate(() => { location.hash = "#component=posts"; });
  await until("posts", async () => (await details.getAttribute("data-name")) === "posts");
  const posts = (await details.innerText()).replace(/\s+/g, " ");
  assert.match(posts, /posts-1\.jsonl 09:02:11 holds time back/);
  assert.match(posts, /17× posts-0\.jsonl:8127/);
  assert.match(posts, /acked 117,300 on their way 1,024 held by windows 2,076 failed 9 timed out 2 played again 9/);
  assert.match(posts, /posts partition 1, message 40960 1,024 1 min 13 s 3 on the way counts/);
  assert.equal(await details.getByTestId("tree-row").count(), 2);
  await page.evaluate(() => { location.hash = "#component=nobody"; });
  await page.getByText('no component named "nobody"').waitFor();
});

test("two fingers make the graph larger around the point between them", async ({ open }) => {
  const { page, context } = await open(told(), { hasTouch: true, viewport: { width: 900, height: 900 } });
  const graph = page.locator(".graph");
  const scale = () => page.locator(".drawing").evaluate((one) => new DOMMatrix(getComputedStyle(one).transform).a);
  await until("the graph is drawn", async () => await page.locator(".drawing").count() > 0);
  await graph.evaluate((one) => one.scrollIntoView({ block: "center" }));  // at once: a report may draw it anew
  const before = await scale();
  const box = await graph.boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + Math.min(box.height / 2, 150)];
  const under = () => graph.evaluate((one, [px, py]) => {
    const { left, top } = one.getBoundingClientRect();
    const shown = new DOMMatrix(getComputedStyle(one.querySelector(".drawing")).transform).a;
    return [(one.scrollLeft + px - left) / shown, (one.scrollTop + py - top) / shown];
  }, [x, y]);
  const devtools = await context.newCDPSession(page);
  const touch = (type, apart) => devtools.send("Input.dispatchTouchEvent", { type, touchPoints: apart === null ? [] : [{ x: x - apart, y, id: 0 }, { x: x + apart, y, id: 1 }] });
  const [was] = await under();
  await touch("touchStart", 60);
  for (const apart of [70, 80, 90]) await touch("touchMove", apart);
  await until("it is larger by half", async () => Math.abs(await scale() / before - 1.5) < 0.02);
  const [is] = await under();
  assert.ok(Math.abs(is - was) < 3, `the point between the fingers moved from ${was} to ${is}`);
  await touch("touchMove", 40);
  await until("and smaller", async () => await scale() < before);
  await touch("touchEnd", null);
  assert.equal(await page.evaluate(() => visualViewport.scale), 1, "the page itself keeps its size");
});

test("results that could not be made are told, and how many executors there were", async ({ open }) => {
  const what = rich();
  what.components[1].rows_refused = 3;
  Object.assign(what, { executors_auto: true, executors_most: what.executors + 2, executors_added: 4, executors_removed: 2, cpu_ms: 61_000 });
  const { page } = await open(told(what));
  assert.match(await page.getByTestId("executors").textContent(), new RegExp(`\\(${what.executors + 2} at most\\)`));
  assert.match(await page.getByTestId("executors").getAttribute("title"), /4 added, 2 removed; 1.min.01.s of/);
  await page.locator(`[data-node="${what.components[1].name}"] button`).first().click();
  assert.match(await page.getByTestId("rows-refused").textContent(), /3$/);
});

test("the graph as the tasks it runs as: executors, queues, shares", async ({ open }) => {
  const { page } = await open(told());
  await page.getByRole("button", { name: "Tasks" }).click();
  await page.getByTestId("chain").first().waitFor();
  assert.equal(await page.getByTestId("chain").count(), 3);
  assert.equal(await page.getByTestId("task").count(), 6);
  assert.equal(await page.getByTestId("executor").count(), 2);
  assert.match((await page.locator('[data-testid="executor"][data-id="0"]').innerText()).replace(/\s+/g, " "), /executor 0 61 % busy, 3 tasks/);
  assert.deepEqual(await page.locator('[data-node="1"] [data-testid="task"]').evaluateAll((rows) => rows.map((row) => row.dataset.executor)), ["0", "1", "0", "1"]);
  assert.equal(await page.locator(".pipe.full").count(), 1);
  assert.equal(await page.locator(".pipe.filling").count(), 1);
});

test("too many tasks for the report are asked for", async ({ open }) => {
  const base = rich();
  const { page } = await open({ ...told({ ...base, tasks: [], tasks_total: base.tasks.length }), allTasks: base.tasks });
  await page.getByRole("button", { name: "Tasks" }).click();
  await until("all tasks", async () => (await page.getByTestId("task").count()) === 6);
});

test("what is wrong and why nothing comes out are said in the engine's words", async ({ open }) => {
  const { page, send } = await open(told());
  const said = page.getByTestId("insight");
  assert.equal(await said.count(), rich().insights.length);
  for (const { text, advice } of rich().insights) for (const one of [text, advice]) assert.ok((await page.getByTestId("insights").innerText()).includes(one), one);
  const why = rich().views.find((one) => one.why_empty).why_empty;
  assert.ok((await page.getByTestId("why-no-output").innerText()).includes(why));
  assert.equal(await page.locator('[data-name="Slow pages"] [data-testid="empty"]').innerText(), why);
  await until("the culprits are marked", async () => (await page.locator('[data-node="log"].error').count()) === 1 && (await page.locator('[data-node="counts"].warning').count()) === 1);
  await said.first().getByRole("button").click();
  assert.equal(await page.getByTestId("inspector").getAttribute("data-name"), "log");
  send(rich(kSeconds + 1, { insights: [], views: rich().views.slice(0, 3) }));
  await page.getByTestId("calm").waitFor();
});

test("an engine that tells less is shown less, never a made-up figure", async ({ open }) => {
  const base = report(kSeconds);
  for (const name of ["at", "active", "recent_latency_us_p50", "recent_latency_us_p99", "memory_budget_bytes", "queued", "busy_share", "tasks_total", "insights", "chains", "tasks"]) delete base[name];
  const only = ["name", "kind", "tasks", "received", "processed", "filtered", "late", "dead_lettered", "in_flight", "emitted", "busy_share", "watermark"];
  base.components = base.components.map((one) => Object.fromEntries(only.map((name) => [name, one[name]])));
  base.edges = base.edges.map(({ queued_batches, fill, rings, ...rest }) => rest);
  const { page } = await open({ report: base, history: null, seconds: kSeconds }, { hash: "#component=counts" });
  await page.getByTestId("inspector").waitFor();
  for (const id of ["insights", "calm", "pause"]) assert.equal(await page.getByTestId(id).count(), 0, id);
  assert.equal(await page.getByRole("button", { name: "Tasks" }).count(), 0);
  assert.doesNotMatch(await page.locator("body").innerText(), /NaN|undefined|null/);
});

test("sources are paused and resumed by the button, with the header that other sites cannot send", async ({ open }) => {
  const { page, posted, send } = await open(told());
  await page.getByTestId("pause").click();
  await until("the request", () => posted.length === 1);
  send(rich(kSeconds + 1, { active: false }));
  await until("paused", async () => (await page.getByTestId("state").innerText()).startsWith("paused"));
  await page.getByRole("button", { name: "Resume sources" }).click();
  await until("the second request", () => posted.length === 2);
  assert.deepEqual(posted, ["/api/v1/deactivate", "/api/v1/activate"]);
});

test("names are text, whatever is in them", async ({ open }) => {
  const evil = "<img src=x onerror=alert(1)>\"'&";
  const base = report(kSeconds, { topology: evil, components: [component(evil, "source"), component("b", "view")], edges: [edge(evil, "b", "forward")],
    views: [view(evil, "top", [[evil, "string"], ["n", "int"]], [[evil, 1]]), view("", "alerts", [["a", "string"]], [[evil]])],
    insights: [{ severity: "warning", kind: "busy", component: evil, text: evil, advice: evil }] });
  const { page } = await open(told(base), { hash: `#component=${encodeURIComponent(evil)}` });
  await page.getByTestId("inspector").waitFor();
  assert.equal(await page.locator("img[src=x]").count(), 0);
  assert.equal(await page.getByTestId("topology-name").innerText(), evil);
});

/** A graph of `count` components: a source that fans out into chains that meet again. */
function large(count, second = kSeconds, changed = count) {
  const components = Array.from({ length: count }, (_, i) => component(`c${i}`, i === 0 ? "source" : "map", i < changed ? { received: second * 10 + i, busy_share: Math.round(100 * noise(second, i)) / 100 } : {}));
  const edges = Array.from({ length: count - 1 }, (_, i) => edge(`c${Math.max(0, i - Math.floor(20 * noise(i)))}`, `c${i + 1}`, "shuffle", i < changed ? { records_per_second: 100 + Math.round(900 * noise(second, i, 1)) } : {}));
  return report(second, { components, edges, views: [] });
}

test("500 components: laid out beside the page's thread, found, opened, and kept up to date", async ({ open }) => {
  const { page, send } = await open(told(large(500)), { viewport: { width: 1600, height: 1000 } });
  await until("500 boxes", async () => (await page.getByTestId("component").count()) === 500);
  await page.evaluate(() => {
    globalThis.stalls = [];
    new PerformanceObserver((list) => globalThis.stalls.push(...list.getEntries().map((entry) => entry.duration))).observe({ entryTypes: ["longtask"] });
  });
  const took = [];
  for (let i = 1; i <= 8; i++) {
    const from = Date.now();
    send(large(500, kSeconds + i));
    await until("the new numbers", async () => (await page.locator('[data-node="c499"]').getAttribute("data-received")) === String((kSeconds + i) * 10 + 499));
    took.push(Date.now() - from);
  }
  const stalls = await page.evaluate(() => globalThis.stalls);
  console.log(`      500 components: an update shown after ${took.sort((a, b) => a - b)[4]} ms, longest block of the page ${Math.round(Math.max(0, ...stalls))} ms`);
  assert.ok(took[4] < 700, `median update ${took}`);
  await page.keyboard.press("/");
  await page.keyboard.type("c499");
  await until("the others fade", async () => (await page.locator(".node.faded").count()) >= 499);
  await page.keyboard.press("Enter");
  await page.getByTestId("inspector").waitFor();
  assert.equal(await page.getByTestId("inspector").getAttribute("data-name"), "c499");
});

test("300 components stay smooth while the graph is dragged", async ({ open }) => {
  const { page, send } = await open(told(large(300)), { viewport: { width: 1600, height: 1000 } });
  await until("300 boxes", async () => (await page.getByTestId("component").count()) === 300);
  for (let i = 0; i < 6; i++) await page.getByRole("button", { name: "Larger" }).click();
  const beat = (async () => { for (let i = 1; i <= 3; i++) { send(large(300, kSeconds + i)); await new Promise((resolve) => setTimeout(resolve, 400)); } })();
  const frames = await page.evaluate(() => new Promise((resolve) => {
    const graph = document.querySelector(".graph");
    const gaps = [];
    let last = performance.now();
    const step = (now) => {
      gaps.push(now - last);
      last = now;
      graph.scrollLeft += 12;
      if (gaps.length < 60) requestAnimationFrame(step); else resolve(gaps.sort((a, b) => a - b));
    };
    requestAnimationFrame(step);
  }));
  await beat;
  console.log(`      300 components: median frame ${frames[30].toFixed(1)} ms, 90th of 100 ${frames[54].toFixed(1)} ms while dragged and updated`);
  assert.ok(frames[30] <= 50, `median frame ${frames[30]} ms`);
});

test("only nodes that changed are drawn again", async ({ open }) => {
  const { page, send } = await open(told(large(300, kSeconds, 300)));
  await until("300 boxes", async () => (await page.getByTestId("component").count()) === 300);
  send(large(300, kSeconds + 1, 3));  // the rest falls back to rest once
  await until("settled", async () => (await page.locator('[data-node="c299"]').getAttribute("data-received")) === "120400");
  await page.evaluate(() => {
    globalThis.touched = new Set();
    new MutationObserver((list) => list.forEach(({ target }) => globalThis.touched.add((target.closest ? target : target.parentElement)?.closest("[data-node]")?.dataset.node)))
      .observe(document.querySelector(".boxes"), { subtree: true, attributes: true, childList: true, characterData: true });
  });
  send(large(300, kSeconds + 2, 3));
  await until("the new number", async () => (await page.locator('[data-node="c2"]').getAttribute("data-received")) === String((kSeconds + 2) * 10 + 2));
  assert.deepEqual((await page.evaluate(() => [...globalThis.touched])).sort(), ["c0", "c1", "c2"]);
});

test("nothing is wider than 360 px, with every panel open", async ({ open }) => {
  const { page } = await open(told(), { viewport: { width: 360, height: 740 }, hash: "#component=counts" });
  await page.getByTestId("inspector").waitFor();
  await page.locator('[data-metric="latency"] .trend').evaluate((e) => e.click());
  await page.getByTestId("history").waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 360);
  const cut = await page.evaluate(() => [...document.querySelectorAll(".figure, .tile dt, .fact dd, h2, .said p, .tools button, .big")]
    .filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0).map((e) => e.innerText));
  assert.deepEqual(cut, []);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Tasks" }).click();
  await page.getByTestId("chain").first().waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 360);
});

test("the oracle of a run that is killed: its figures, and an alarm when one is amiss", async ({ open }) => {
  const oracle = { rows: 5142, wrong: 0, kills: 7, lost: 0, doubled: 0 };
  const { page, send } = await open(told(report(kSeconds, { oracle })));
  const head = page.locator(".oracle");
  assert.equal(await head.textContent(), "killed 7 times: lost 0, doubled 0, wrong 0 of 5,142 rows");
  for (const [name, kills] of [["lost", 8], ["doubled", 9], ["wrong", 1]]) {
    assert.equal(await page.locator(".oracle.alarm").count(), 0);
    send(report(kSeconds + kills, { oracle: { ...oracle, kills, [name]: 12 } }));
    await page.locator(".oracle.alarm").getByText(`${name} 12`).waitFor();
    assert.ok((await head.textContent()).startsWith(kills === 1 ? "killed 1 time:" : `killed ${kills} times:`));
    send(report(kSeconds + 20 + kills, { oracle }));
    await page.locator(".oracle.alarm").waitFor({ state: "detached" });
  }
});

test("the oracle of a run that is killed fits 360 px", async ({ open }) => {
  const oracle = { rows: 987_654_321, wrong: 1234, kills: 12_345, lost: 1234, doubled: 1234 };
  const { page } = await open(told(report(kSeconds, { oracle })), { viewport: { width: 360, height: 740 } });
  const box = await page.locator(".oracle").boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 360, JSON.stringify(box));
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 360);
});

test("an engine that was started again: what the page saw before that stays", async ({ open }) => {
  const what = told();
  const { page, lose } = await open(what);
  const samples = async () => Number(await page.locator(".strip").getAttribute("data-samples"));
  await until("samples", async () => (await samples()) === 900);
  // Ten seconds old, thirty after the last figure: what is older than 15 minutes now goes.
  what.report = report(kSeconds + 30, { uptime_ms: 10_000 });
  what.history = { ...history(10, 10), at: what.report.at };
  await lose();
  await until("what was seen and what the engine has", async () => (await samples()) === 871 + 10);
});

test("axe finds nothing serious: both themes, wide and narrow, panels open", async ({ open }) => {
  const axe = readFileSync(axePath, "utf8");
  const grave = async (page, where) => {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const found = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
    assert.deepEqual(found.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join("; ")}`), [], where);
  };
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1440, 360]) {
      const where = `${colorScheme}, ${width} px`;
      const { page } = await open(told(), { colorScheme, viewport: { width, height: 900 } });
      await page.locator('[data-node="counts"]').waitFor();
      await grave(page, where);
      await page.locator('[data-metric="latency"] .trend').click();
      await page.getByRole("button", { name: "Tasks" }).click();
      await page.getByTestId("chain").first().waitFor();
      await page.locator(".twin summary").click();
      await page.evaluate(() => { location.hash = "#component=posts"; });
      await page.getByTestId("inspector").waitFor();
      await grave(page, `${where}, panels open`);
      await page.keyboard.press("Escape");
      for (const button of await page.getByRole("button", { name: /as a table$/ }).all()) await button.click();
      await page.keyboard.press("?");
      await grave(page, `${where}, tables and keys`);
    }
  }
});

test("states of a run are said: paused, draining, failed, no views, no components", async ({ open }) => {
  const { page, send } = await open(told(report(kSeconds, { views: [] })));
  await page.getByText("This topology has no views").waitFor();
  send(report(kSeconds + 1, { state: "failed", error: "\"log\" cannot write: the disk is full (4012); free space, then start again." }));
  await page.getByTestId("notice-failed").waitFor();
  assert.equal(await page.getByTestId("state").getAttribute("data-value"), "failed");
  send(report(kSeconds + 2, { components: [], edges: [], views: [] }));
  await until("no boxes", async () => (await page.getByTestId("component").count()) === 0);
});

await runTests(tests);
