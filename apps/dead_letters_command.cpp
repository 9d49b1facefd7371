// `millrace dead-letters`: the list of its commands, and those that look: ls, show.
#include "dead_letters_command.hpp"

#include <sysexits.h>

#include <cstdio>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "host/host.hpp"
#include "host/letter_walk.hpp"
#include "journal_words.hpp"

namespace millrace::apps {
namespace {

constexpr const char* kHelp =
    R"(Dead letters: the records that a run with --dead-letters DIR has set aside.

usage: millrace dead-letters ls DIR               counts by component and reason
       millrace dead-letters show DIR [flags]     the letters, oldest first
       millrace dead-letters replay DIR --to TARGET [flags]
                                                  writes their records to where a topology reads
                                                  them, and marks them as replayed

flags of all:
  --topology NAME   of this topology only
show and replay:
  --component NAME  of this component only
  --reason TEXT     with this text in their reason
show:
  --limit N         the newest N
  --json            a JSON object a letter
replay:
  --to FILE         appends a line a record; - is standard output
  --to journal:DIR/TOPIC
                    appends them to a topic of a journal, which is made when it is not there
  --again           those too that were replayed before

The run may go on meanwhile. More: docs/guides/how-to-handle-dead-letters.md.
)";

int fail(const Status& status) { return detail::report_error(status); }

detail::LetterFilter filter_of(const JournalWords& words) {
  return {words.text("--topology"), words.text("--component"), words.text("--reason")};
}

void print(const detail::LetterCounts& counts) {
  fmt::print("{:<20} {:<20} {:>10} {:>12}  {:<27}  {:<27}  reason\n", "topology", "component",
             "letters", "not replayed", "first", "last");
  for (const auto& [topic, components] : counts.topics()) {
    for (const auto& [component, all] : components) {
      for (const auto& [key, reason] : all) {
        fmt::print("{:<20} {:<20} {:>10} {:>12}  {:<27}  {:<27}  {}\n", topic, component,
                   reason.count, reason.waiting, detail::format_iso_time(reason.first),
                   detail::format_iso_time(reason.last), reason.text);
      }
    }
  }
}

int list_main(int argc, char** argv) {
  const auto words = JournalWords::read(argc, argv, {{"--topology"}, {}}, {"DIR"}, "dead-letters");
  if (!words) return fail(words.error());
  const auto marks = detail::ReplayMarks::read(detail::real_disk(), words->plain(0));
  if (!marks) return fail(marks.error());
  detail::LetterCounts counts;
  const Status status = detail::read_letters(
      words->plain(0), filter_of(*words), [&](const detail::PlacedLetter& letter) {
        counts.add(letter, marks->has(letter.topic, letter.offset));
        return true;
      });
  if (!status) return fail(status);
  print(counts);
  return EX_OK;
}

std::string as_text(const detail::PlacedLetter& placed, bool replayed) {
  const detail::KeptLetter& letter = placed.letter;
  std::string out = fmt::format("{} {} {}[{}]", detail::format_iso_time(letter.at), placed.topic,
                                letter.component, letter.task);
  if (!letter.where.empty()) out += " " + letter.where;
  if (letter.tries > 1) out += fmt::format(", {} tries", letter.tries);
  if (replayed) out += ", replayed";
  out += fmt::format("\n  {}\n  {}", letter.reason, letter.record);
  if (letter.is_cut()) out += fmt::format("... ({} bytes)", letter.whole_bytes);
  return out;
}

int show_main(int argc, char** argv) {
  const auto words = JournalWords::read(
      argc, argv, {{"--topology", "--component", "--reason", "--limit"}, {"--json"}}, {"DIR"},
      "dead-letters");
  if (!words) return fail(words.error());
  std::uint64_t limit = 0;
  if (Status status = words->number("--limit", 1, 1'000'000, limit); !status) return fail(status);
  const auto marks = detail::ReplayMarks::read(detail::real_disk(), words->plain(0));
  if (!marks) return fail(marks.error());
  const bool json = words->has("--json");
  const auto show = [&](const detail::PlacedLetter& letter) {
    const bool replayed = marks->has(letter.topic, letter.offset);
    const std::string line = json ? to_json(letter, replayed) : as_text(letter, replayed);
    return std::puts(line.c_str()) >= 0;  // false: nobody reads on
  };
  std::deque<detail::PlacedLetter> newest;
  const Status status =
      detail::read_letters(words->plain(0), filter_of(*words), [&](detail::PlacedLetter letter) {
        if (limit == 0) return show(letter);
        newest.push_back(std::move(letter));
        if (newest.size() > limit) newest.pop_front();
        return true;
      });
  for (const detail::PlacedLetter& letter : newest) {
    if (!show(letter)) break;
  }
  return status ? EX_OK : fail(status);
}

}  // namespace

int dead_letters_main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    if (word != "--help" && word != "-h") continue;
    std::fputs(kHelp, stdout);
    return EX_OK;
  }
  if (command == "ls") return list_main(argc - 1, argv + 1);
  if (command == "show") return show_main(argc - 1, argv + 1);
  if (command == "replay") return dead_letters_replay(argc - 1, argv + 1);
  const std::vector<std::string> known = {"ls", "show", "replay"};
  const std::string near = detail::nearest_word(command, known);
  return fail({Code::option_unknown,
               command.empty()
                   ? "dead-letters: which command? ls, show or replay; `millrace dead-letters "
                     "--help` tells more"
                   : fmt::format("dead-letters {}: there is no such command{}; `millrace "
                                 "dead-letters --help` lists them",
                                 command, near.empty() ? "" : ": did you mean " + near + "?")});
}

}  // namespace millrace::apps
