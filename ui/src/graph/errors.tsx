// Dead letters of a component, grouped by their reason.
import { clock, day, full } from "../format";
import type { ErrorGroup } from "../report";

export function ErrorList(props: { errors: ErrorGroup[] }) {
  return (
    <ol class="error-groups">
      {props.errors.map((one) => (
        <li key={one.reason + one.where}>
          <p class="what">{one.reason}</p>
          <p class="note"><b>{full(one.count)}{"\u00d7"}</b> <span>{one.where}</span> <time dateTime={one.at} title={one.at}>last {day(one.at)}, {clock(one.at)}</time></p>
          {one.record && <code>{one.record}</code>}
        </li>
      ))}
    </ol>
  );
}
