// The keys of the page: one handler, and the list that `?` shows.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { opened } from "./health";
import { selected } from "./selection";
import { toggleTheme } from "./theme";

const showing = signal(false);
export const showShortcuts = () => (showing.value = true);

const kKeys: [string, string][] = [
  ["?", "this list"],
  ["/", "find a component"],
  ["g", "go to the graph"],
  ["v", "go to the views"],
  ["t", "light or dark"],
  ["\u2190 \u2191 \u2192 \u2193", "in the graph: to the next component that way; in a chart: from point to point"],
  ["Enter", "in the graph: details of the component"],
  ["+ \u2212 0", "in the graph: larger, smaller, all of it"],
  ["Esc", "close what is open"],
];

const focusOn = (selector: string) => {
  const target = document.querySelector<HTMLElement>(selector);
  target?.scrollIntoView({ block: "nearest" });
  target?.focus({ preventScroll: true });
};

function closeTopmost(): boolean {
  if (selected.value !== null) selected.value = null;
  else if (opened.value !== null) opened.value = null;
  else return false;
  return true;
}

function onKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || showing.value) return;
  if (event.key === "Escape") return void (closeTopmost() && event.preventDefault());
  if (target.matches("input, select, textarea, [contenteditable]")) return;
  const actions: Record<string, () => void> = {
    "?": showShortcuts,
    t: toggleTheme,
    "/": () => focusOn("[data-find]"),
    g: () => focusOn('[data-testid="component"] .box[tabindex="0"]'),
    v: () => focusOn('[data-testid="view"]'),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

export function Shortcuts() {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  useEffect(() => {
    if (showing.value) ref.current?.showModal();
    else ref.current?.close();
  }, [showing.value]);
  return (
    <dialog ref={ref} class="shortcuts" aria-labelledby="shortcuts-title" onClose={() => (showing.value = false)}
            onClick={(event) => event.target === ref.current && ref.current?.close()} data-testid="shortcuts">
      <header>
        <h2 id="shortcuts-title">Keyboard</h2>
        <button type="button" class="tool" onClick={() => (showing.value = false)}>Close</button>
      </header>
      <dl>
        {kKeys.map(([keys, what]) => <div key={keys}><dt>{keys.split(" ").map((key) => <kbd>{key}</kbd>)}</dt><dd>{what}</dd></div>)}
      </dl>
    </dialog>
  );
}
