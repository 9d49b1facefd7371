// Reading kept dead letters: all that a filter lets through, in the order in which they came.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "journal/journal.hpp"
#include "journal_words.hpp"
#include "runtime/kept_letter.hpp"

namespace millrace::apps {

/// Which letters a command is about; empty: any.
struct LetterFilter {
  std::string topology;
  std::string component;
  std::string reason;  ///< a part of it

  /// From --topology, --component and --reason.
  explicit LetterFilter(const JournalWords& words);
  bool passes(const detail::KeptLetter& letter) const;
};

struct PlacedLetter {
  std::string topic;
  std::uint64_t offset = 0;
  detail::KeptLetter letter;
};

/// Calls use(letter), by topic, oldest first, until it says false. The run that keeps its letters
/// there may go on meanwhile. Errors: 4001 where there is no journal, or no such topology in it;
/// 4004.
Status read_letters(const std::string& folder, const LetterFilter& filter,
                    const std::function<bool(PlacedLetter)>& use);

}  // namespace millrace::apps
