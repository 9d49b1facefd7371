// The numbers of a chart as a table, newest first.
import type { Line } from "./chart";

/** More rows than this are counted, not drawn. */
const kRowsMax = 300;

export function SeriesTable(props: { caption: string; head: string; xs: readonly number[]; lines: readonly Line[];
                                     xText: (x: number) => string; yText: (y: number) => string }) {
  const { xs, lines } = props;
  const shown = xs.map((_, i) => xs.length - 1 - i).slice(0, kRowsMax);
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={`Numbers of ${props.caption}`} data-testid="series-table">
      <table>
        <caption class="unseen">{props.caption}, newest first</caption>
        <thead><tr><th scope="col">{props.head}</th>{lines.map((line) => <th scope="col" class="num" key={line.name}>{line.name}</th>)}</tr></thead>
        <tbody>
          {shown.map((i) => (
            <tr key={xs[i]}>
              <th scope="row">{props.xText(xs[i] as number)}</th>
              {lines.map((line) => <td class="num" key={line.name} data-value={line.values[i] ?? ""}>{line.values[i] == null ? "\u2013" : props.yText(line.values[i] as number)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
      {xs.length > shown.length && <p class="note">and {(xs.length - shown.length).toLocaleString("en-US")} older ones</p>}
    </div>
  );
}
