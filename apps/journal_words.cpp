// Reading the command lines of `millrace journal`.
#include "journal_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/text.hpp"

namespace millrace::apps {
namespace {

Status invalid(std::string message) { return {Code::option_invalid, std::move(message)}; }

bool holds(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Status unknown(const JournalFlags& flags, const std::string& word, const std::string& group) {
  std::vector<std::string> known = flags.with_value;
  known.insert(known.end(), flags.alone.begin(), flags.alone.end());
  const std::string near = detail::nearest_word(word, known);
  return {Code::option_unknown,
          fmt::format("{}: there is no such flag{}; `millrace {} --help` lists them", word,
                      near.empty() ? "" : ": did you mean " + near + "?", group)};
}

/// Nobody shall take such a run for a safe one.
void warn_of(const detail::JournalOptions& unsafe) {
  const char* what = unsafe.no_sync       ? "what is acknowledged does not survive a loss of power"
                     : unsafe.no_checksum ? "damage is neither looked for nor found"
                     : unsafe.no_dedup    ? "what is sent again is stored again"
                                          : "a second process may write, and destroy the journal";
  fmt::print(stderr, "UNSAFE: {}; --unsafe is there to see that tests notice\n", what);
}

}  // namespace

Result<JournalWords> JournalWords::read(int argc, char** argv, const JournalFlags& flags,
                                        const std::vector<std::string>& plain,
                                        const std::string& group) {
  JournalWords words;
  for (int at = 1; at < argc; ++at) {
    std::string word = argv[at];
    if (!word.starts_with("-")) {
      words.plain_.push_back(word);
      continue;
    }
    const auto equals = word.find('=');
    const std::string flag = word.substr(0, equals);
    if (holds(flags.alone, word)) {
      words.values_[word] = "";
    } else if (!holds(flags.with_value, flag)) {
      return unknown(flags, flag, group);
    } else if (equals != std::string::npos) {
      words.values_[flag] = word.substr(equals + 1);
    } else if (at + 1 < argc) {
      words.values_[flag] = argv[++at];
    } else {
      return invalid(
          fmt::format("{}: its value is missing; `millrace {} --help` tells more", word, group));
    }
  }
  const bool more = !plain.empty() && plain.back().ends_with("...]");
  const std::size_t least = plain.size() - (more ? 1 : 0);
  if (words.plain_.size() < least || (words.plain_.size() > least && !more)) {
    return invalid(
        fmt::format("{0} {1}: it takes {2}, and got {3} words; `millrace {0} --help` tells more",
                    group, argv[0], fmt::join(plain, " "), words.plain_.size()));
  }
  return words;
}

std::string JournalWords::text(const std::string& flag) const {
  const auto found = values_.find(flag);
  return found == values_.end() ? "" : found->second;
}

Status JournalWords::number(const std::string& flag, std::uint64_t least, std::uint64_t most,
                            std::uint64_t& out) const {
  if (!has(flag)) return {};
  const std::string given = text(flag);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
  const bool whole = error == std::errc() && end == given.data() + given.size();
  if (!whole || value < least || value > most) {
    return invalid(
        fmt::format("{} {}: give a whole number from {} to {}", flag, given, least, most));
  }
  out = value;
  return {};
}

Status JournalWords::bytes(const std::string& flag, std::uint64_t least, std::uint64_t& out) const {
  if (!has(flag)) return {};
  const auto value = detail::parse_bytes(text(flag));
  if (!value || *value < least) {
    return invalid(fmt::format("{} {}: give a number of bytes of at least {}, such as 64M or 2G",
                               flag, text(flag), least));
  }
  out = *value;
  return {};
}

Status JournalWords::duration(const std::string& flag, Duration& out) const {
  if (!has(flag)) return {};
  const auto value = detail::parse_duration(text(flag));
  if (!value || value->count() <= 0) {
    return invalid(fmt::format("{} {}: give a time longer than 0 with its unit, such as 12h or 7d",
                               flag, text(flag)));
  }
  out = *value;
  return {};
}

Status JournalWords::options(detail::JournalOptions& out) const {
  const std::string mode = text("--mode");
  if (has("--mode") && mode != "sync" && mode != "async")
    return invalid(fmt::format("--mode {}: give sync or async", mode));
  if (mode == "async") out.mode = detail::JournalMode::async;
  const std::string unsafe = text("--unsafe");
  out.no_sync = unsafe == "no-fsync";
  out.no_checksum = unsafe == "no-checksum";
  out.no_dedup = unsafe == "no-dedup";
  out.no_fence = unsafe == "no-fence";
  const bool known = out.no_sync || out.no_checksum || out.no_dedup || out.no_fence;
  if (has("--unsafe") && !known) {
    return invalid(
        fmt::format("--unsafe {}: give no-fsync, no-checksum, no-dedup or no-fence", unsafe));
  }
  if (known) warn_of(out);
  return bytes("--segment-bytes", 1024, out.segment_bytes);
}

Status first_of(std::initializer_list<Status> checks) {
  for (const Status& status : checks)
    if (!status) return status;
  return {};
}

}  // namespace millrace::apps
