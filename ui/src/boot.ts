// Runs before the first paint: the theme chosen earlier, so that a dark page never flashes white.
try {
  const chosen = localStorage.getItem("millrace-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be closed to the page: then the system's theme it is.
}
