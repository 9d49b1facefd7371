// The component whose details are open; the address of the page holds it, so that it can be shared.
import { effect, signal } from "@preact/signals";

const fromAddress = () => new URLSearchParams(location.hash.slice(1)).get("component");

export const selected = signal<string | null>(fromAddress());

effect(() => {
  const hash = selected.value === null ? "" : `#component=${encodeURIComponent(selected.value)}`;
  if (location.hash !== hash) history.replaceState(null, "", hash || location.pathname + location.search);
});
addEventListener("hashchange", () => (selected.value = fromAddress()));
