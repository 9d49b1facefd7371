// Light or dark: as the system says until the reader chooses, and then as chosen, also next time.
import { computed, signal } from "@preact/signals";

const kKey = "millrace-theme";
export type Theme = "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(system.matches);
const chosen = signal<Theme | null>((document.documentElement.dataset.theme as Theme | undefined) ?? null);

export const theme = computed<Theme>(() => chosen.value ?? (systemDark.value ? "dark" : "light"));

system.addEventListener("change", (event) => (systemDark.value = event.matches));

export function toggleTheme(): void {
  const next: Theme = theme.value === "dark" ? "light" : "dark";
  chosen.value = next;
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem(kKey, next);
  } catch {
    // It holds for this visit.
  }
}
