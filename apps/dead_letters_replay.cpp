// `millrace dead-letters replay`: hands records to where a topology reads them.
#include <sysexits.h>

#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "dead_letters_command.hpp"
#include "host/host.hpp"
#include "host/letter_replay.hpp"
#include "journal_words.hpp"

namespace millrace::apps {
namespace {

constexpr std::uint64_t kAtOnce = 1000;

Status replay(const JournalWords& words, detail::Replayed& done) {
  auto replay = detail::LetterReplay::open(
      words.plain(0), {words.text("--topology"), words.text("--component"), words.text("--reason")},
      words.text("--to"), "--to", words.has("--again"));
  if (!replay) return replay.error();
  Result<bool> more = true;
  while (more && *more) more = (*replay)->step(kAtOnce);
  done = (*replay)->done();
  return more ? (*replay)->finish() : more.error();
}

}  // namespace

int dead_letters_replay(int argc, char** argv) {
  const auto words = JournalWords::read(
      argc, argv, {{"--topology", "--component", "--reason", "--to"}, {"--again"}}, {"DIR"},
      "dead-letters");
  if (!words) return detail::report_error(words.error());
  detail::Replayed done;
  const Status status = replay(*words, done);
  if (!status) return detail::report_error(status);
  const char* const hint = done.before > 0 ? " (--again takes those too that were before)" : "";
  fmt::print(stderr, "{}{}\n", to_text(done, words->text("--to")), hint);
  return EX_OK;
}

}  // namespace millrace::apps
