// The newest records that were given up, with the reason of each.
import { clock, day, full } from "./format";
import type { Report } from "./report";

export function DeadLetters(props: { report: Report }) {
  const { recent_dead_letters: letters, dead_letters: count } = props.report;
  if (letters.length === 0 && count === 0) return null;
  return (
    <section class="card dead" aria-labelledby="dead-title" data-testid="dead-letter-list">
      <header>
        <h2 id="dead-title">Dead letters</h2>
        <p class="note">{letters.length} newest of {full(count)}</p>
      </header>
      <div class="scroll" tabIndex={0} role="group" aria-label="Newest dead letters">
        <ol class="alerts">
          {letters.map((letter) => (
            <li data-testid="dead-letter" key={letter.at + letter.where + letter.record}>
              <time dateTime={letter.at} title={letter.at}>{clock(letter.at)}<small>{day(letter.at)}</small></time>
              <div>
                <p class="what">{letter.reason}</p>
                <p class="note"><span>{letter.component}</span>{letter.where && <span>{letter.where}</span>}</p>
                {letter.record && <code>{letter.record}</code>}
              </div>
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}
