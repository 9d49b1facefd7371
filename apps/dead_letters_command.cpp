// `millrace dead-letters`: the list of its commands, and those that look: ls, show.
#include "dead_letters_command.hpp"

#include <sysexits.h>

#include <cstdio>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "dead_letters_marks.hpp"
#include "dead_letters_reader.hpp"
#include "host/host.hpp"

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

/// Those of a component with reasons that differ in nothing but numbers.
struct Reason {
  std::string text;  // of the last one
  std::uint64_t count = 0;
  std::uint64_t waiting = 0;  // not replayed
  Time first = 0;
  Time last = 0;
};

/// By topic, component and reason without numbers.
using Reasons = std::map<std::string, std::map<std::string, std::map<std::string, Reason>>>;

std::string without_numbers(const std::string& reason) {
  std::string key;
  for (const char c : reason) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit) key += c;
    if (digit && (key.empty() || key.back() != '#')) key += '#';
  }
  return key;
}

void count(Reasons& reasons, const PlacedLetter& letter, const ReplayMarks& marks) {
  constexpr std::size_t kReasonsMax = 100;  // of a component; texts may differ in each
  auto& all = reasons[letter.topic][letter.letter.component];
  std::string key = without_numbers(letter.letter.reason);
  const bool other = !all.contains(key) && all.size() + 1 >= kReasonsMax;
  Reason& reason = all[other ? std::string() : std::move(key)];
  reason.text = other ? "other reasons" : letter.letter.reason;
  if (reason.count++ == 0) reason.first = letter.letter.at;
  reason.last = letter.letter.at;
  if (!marks.has(letter.topic, letter.offset)) ++reason.waiting;
}

void print(const Reasons& reasons) {
  fmt::print("{:<20} {:<20} {:>10} {:>12}  {:<27}  {:<27}  reason\n", "topology", "component",
             "letters", "not replayed", "first", "last");
  for (const auto& [topic, components] : reasons) {
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
  const auto marks = ReplayMarks::read(detail::real_disk(), words->plain(0));
  if (!marks) return fail(marks.error());
  Reasons reasons;
  const Status status =
      read_letters(words->plain(0), LetterFilter(*words), [&](const PlacedLetter& letter) {
        count(reasons, letter, *marks);
        return true;
      });
  if (!status) return fail(status);
  print(reasons);
  return EX_OK;
}

void append_member(std::string& out, const char* name, std::string_view text) {
  out += fmt::format(",\"{}\":", name);
  detail::append_json_string(out, text);
}

std::string as_json(const PlacedLetter& placed, bool replayed) {
  const detail::KeptLetter& letter = placed.letter;
  std::string out = fmt::format("{{\"at\":\"{}\"", detail::format_iso_time(letter.at));
  append_member(out, "topology", placed.topic);
  out += fmt::format(",\"offset\":{}", placed.offset);
  append_member(out, "component", letter.component);
  out += fmt::format(",\"task\":{}", letter.task);
  append_member(out, "reason", letter.reason);
  append_member(out, "where", letter.where);
  if (letter.tries > 0) out += fmt::format(",\"tries\":{}", letter.tries);
  if (!letter.origin.source.empty()) append_member(out, "source", letter.origin.source);
  if (letter.origin.partition) out += fmt::format(",\"partition\":{}", *letter.origin.partition);
  if (letter.origin.position) out += fmt::format(",\"position\":{}", *letter.origin.position);
  out += fmt::format(",\"replayed\":{},\"is_record\":{}", replayed, letter.is_record);
  if (letter.is_cut()) out += fmt::format(",\"bytes\":{}", letter.whole_bytes);
  append_member(out, "record", letter.record);
  return out + '}';
}

std::string as_text(const PlacedLetter& placed, bool replayed) {
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
  const auto marks = ReplayMarks::read(detail::real_disk(), words->plain(0));
  if (!marks) return fail(marks.error());
  const bool json = words->has("--json");
  const auto show = [&](const PlacedLetter& letter) {
    const bool replayed = marks->has(letter.topic, letter.offset);
    const std::string line = (json ? as_json : as_text)(letter, replayed);
    return std::puts(line.c_str()) >= 0;  // false: nobody reads on
  };
  std::deque<PlacedLetter> newest;
  const Status status =
      read_letters(words->plain(0), LetterFilter(*words), [&](PlacedLetter letter) {
        if (limit == 0) return show(letter);
        newest.push_back(std::move(letter));
        if (newest.size() > limit) newest.pop_front();
        return true;
      });
  for (const PlacedLetter& letter : newest) {
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
