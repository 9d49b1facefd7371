// What became of the messages of a source, where they are tracked, and the oldest that are open.
import { full, micros, short, span } from "../format";
import { toFigure } from "../history";
import type { Acks, Component, Num, OpenTree } from "../report";

const some = (value: Num) => (toFigure(value) ?? 0) > 0;

const kKinds: { name: string; key: keyof Acks; help: string; always?: boolean }[] = [
  { name: "acked", key: "acked", always: true, help: "Handled to the end: processed, written, filtered, late, or in the dead letters after the last try." },
  { name: "on their way", key: "pending", always: true, help: "Something that was made of them is in a queue or a step." },
  { name: "in hand", key: "in_hand", help: "A bolt has taken them, or others that were read with them, and has not acked yet." },
  { name: "held by windows", key: "held", help: "All that is left of them is in open windows, order buffers or behind timers." },
  { name: "failed", key: "failed", help: "User code failed at a record of them, or they timed out: they are played again." },
  { name: "timed out", key: "timed_out", help: "Of those: a bolt had taken them, and nothing happened to them for the time-out." },
  { name: "played again", key: "replayed", help: "Handed on once more by their source." },
  { name: "given up", key: "given_up", help: "Failed in a bolt's hands at the last try: dead letters of this source." },
  { name: "left in windows", key: "abandoned", help: "Were in windows when the run was stopped; they count as not handled." },
];

function Trees(props: { trees: OpenTree[] }) {
  return (
    <div class="scroll short" tabIndex={0} role="group" aria-label="Oldest open messages">
      <table>
        <thead><tr><th scope="col">from message</th><th scope="col" class="num">read with it</th><th scope="col" class="num">open for</th><th scope="col">what is left</th><th scope="col">last seen at</th></tr></thead>
        <tbody>
          {props.trees.map((tree) => (
            <tr key={tree.first} data-testid="tree-row">
              <th scope="row">{tree.first}</th>
              <td class="num">{full(tree.messages)}</td>
              <td class="num">{span(tree.age_ms)}</td>
              <td>{tree.moving > 0 ? `${short(tree.moving)} on the way` : "in state"}</td>
              <td>{tree.component === "" ? "\u2013" : tree.component}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Messages(props: { component: Component }) {
  const acks = props.component.acks;
  if (!acks) return null;
  return (
    <>
      <h3>What became of its messages</h3>
      <dl class="counts" data-testid="acks">
        {kKinds.filter((one) => one.always || some(acks[one.key] as Num)).map((one) => (
          <div key={one.key} title={one.help}><dt>{one.name}</dt><dd>{full(acks[one.key] as Num)}</dd></div>
        ))}
        {acks.latency_us_p50 !== null && acks.latency_us_p99 !== null && (
          <div title="From handing a message on to its ack, over the whole run."><dt>to the ack</dt><dd>{micros(acks.latency_us_p50)} <small>p50</small> {micros(acks.latency_us_p99)} <small>p99</small></dd></div>
        )}
      </dl>
      {acks.slowest.length > 0 && <Trees trees={acks.slowest} />}
    </>
  );
}
