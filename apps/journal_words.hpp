// The words of a `millrace journal` or `millrace dead-letters` command line: flags with values, and
// what stands without.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "base/time.hpp"
#include "journal/journal.hpp"

namespace millrace::apps {

/// What a command knows: flags that take a value, and flags that take none.
struct JournalFlags {
  std::vector<std::string> with_value;
  std::vector<std::string> alone;
};

/// A command line, read.
class JournalWords {
 public:
  /// `argv[0]` is the command, one of `group`. Errors: 1001 for an unknown flag, with a near one;
  /// 1002 for a value that is missing, or when there are not `plain` words beside the flags; a last
  /// one that ends in "...]" stands for any number.
  static Result<JournalWords> read(int argc, char** argv, const JournalFlags& flags,
                                   const std::vector<std::string>& plain,
                                   const std::string& group = "journal");

  const std::string& plain(std::size_t at) const { return plain_[at]; }
  /// Those from `at` on.
  std::vector<std::string> plain_from(std::size_t at) const {
    return {plain_.begin() + static_cast<std::ptrdiff_t>(at), plain_.end()};
  }
  bool has(const std::string& flag) const { return values_.contains(flag); }
  /// The value of a flag, or "".
  std::string text(const std::string& flag) const;
  /// Leave `out` alone when the flag was not given. Errors: 1002.
  Status number(const std::string& flag, std::uint64_t least, std::uint64_t most,
                std::uint64_t& out) const;
  Status bytes(const std::string& flag, std::uint64_t least, std::uint64_t& out) const;
  Status duration(const std::string& flag, Duration& out) const;
  /// --mode, --segment-bytes and --unsafe; the last with a warning on stderr. Errors: 1002.
  Status options(detail::JournalOptions& out) const;

 private:
  std::vector<std::string> plain_;
  std::map<std::string, std::string> values_;
};

/// The first failure of several checks.
Status first_of(std::initializer_list<Status> checks);

}  // namespace millrace::apps
