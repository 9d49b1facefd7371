// A figure with its name; what it means comes up when pointed at.
import type { ComponentChildren } from "preact";

export function Fact(props: { name: string; help: string; children: ComponentChildren; alarm?: boolean }) {
  return (
    <div class={props.alarm ? "fact alarm" : "fact"} title={props.help}>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}
