// Hover texts that are made only when somebody hovers: hundreds of them a second would be read by nobody.

/** Writes the text as the element's title, or as its <title> in SVG, when the pointer comes. */
export const hint = (text: () => string) => (event: { currentTarget: EventTarget | null }) => {
  const element = event.currentTarget;
  if (element instanceof HTMLElement) element.title = text();
  else if (element instanceof SVGElement && element.firstElementChild) element.firstElementChild.textContent = text();
};
