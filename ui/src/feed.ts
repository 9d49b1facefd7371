// The live feed: one WebSocket that is opened again whenever it is lost, and what the page itself brought.
import { batch, signal } from "@preact/signals";
import { fetchHistory, remember, take } from "./history";
import type { HistoryAnswer, Report } from "./report";

export type Link = "connecting" | "open" | "lost";

export const report = signal<Report | null>(null);
export const link = signal<Link>("connecting");
/** When the last report came, in milliseconds of this machine's clock. */
export const receivedAt = signal(0);
/** The clock of the page, once a second, for what depends on time alone. */
export const now = signal(Date.now());

const kRetryMin = 500;
const kRetryMax = 5000;
/** A connection that was refused silently (a tunnel without an end) is given up after this. */
const kOpenTimeout = 8000;

let retry = kRetryMin;
/** The newest report while nobody looks: a hidden page draws nothing. */
let unseen: Report | null = null;

/** The wall clock of a report: the engine's own, where it tells. */
const clockOf = (one: Report) => (one.at ? Date.parse(one.at) : Date.now());

function show(newest: Report): void {
  batch(() => {
    receivedAt.value = now.value = Date.now();
    report.value = newest;
    remember(newest, clockOf(newest));
  });
}

function receive(newest: Report, first: boolean): void {
  retry = kRetryMin;
  // An engine that tells no time of its reports keeps no history either.
  if (first && newest.at !== undefined) void fetchHistory();
  if (document.hidden) unseen = newest;
  else show(newest);
}

function connect(): void {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/api/v1/live`);
  const opening = setTimeout(() => socket.close(), kOpenTimeout);
  let first = true;
  socket.onopen = () => {
    clearTimeout(opening);
    link.value = "open";
  };
  socket.onmessage = (message) => {
    receive(JSON.parse(message.data as string) as Report, first);
    first = false;
  };
  socket.onclose = () => {
    clearTimeout(opening);
    link.value = "lost";
    setTimeout(connect, retry);
    retry = Math.min(retry * 1.6, kRetryMax);
  };
}

/** The report and history that came with the page itself: something to paint before the feed is open. */
function readFirst(): void {
  const carried = document.getElementById("millrace-first")?.textContent;
  if (!carried) return;
  try {
    const first = JSON.parse(carried) as { report: Report | null; history: HistoryAnswer | null };
    if (first.history) take(first.history);
    if (first.report) show(first.report);
  } catch {
    // The feed brings the same in a moment.
  }
}

export function start(): void {
  readFirst();
  connect();
  setInterval(() => (now.value = Date.now()), 1000);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !unseen) return;
    show(unseen);
    if (unseen.at !== undefined) void fetchHistory();
    unseen = null;
  });
}
