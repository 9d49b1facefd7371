// The layout on a thread of its own, so that the page stays quick while a large graph is laid out.
import { plan, type Shape } from "./layout";

onmessage = (event: MessageEvent<{ id: number; shape: Shape }>) => {
  const { id, shape } = event.data;
  postMessage({ id, plan: plan(shape) });
};
