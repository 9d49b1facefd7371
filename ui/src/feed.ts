// The live feed: one WebSocket that is opened again whenever it is lost.
import { signal } from "@preact/signals";
import type { Report } from "./report";

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

function connect(): void {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/api/v1/live`);
  const opening = setTimeout(() => socket.close(), kOpenTimeout);
  socket.onopen = () => {
    clearTimeout(opening);
    link.value = "open";
  };
  socket.onmessage = (message) => {
    retry = kRetryMin;
    receivedAt.value = now.value = Date.now();
    report.value = JSON.parse(message.data as string) as Report;
  };
  socket.onclose = () => {
    clearTimeout(opening);
    link.value = "lost";
    setTimeout(connect, retry);
    retry = Math.min(retry * 1.6, kRetryMax);
  };
}

export function start(): void {
  connect();
  setInterval(() => (now.value = Date.now()), 1000);
}
