// KeptLetter: a dead letter as it lies in a journal: docs/formats/dead-letters.md.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "journal/journal_batch.hpp"
#include "runtime/set_aside.hpp"

namespace millrace::detail {

/// Owns its texts.
struct KeptLetter {
  /// A longer record is cut.
  static constexpr std::size_t kRecordBytesMax = 1u << 20;

  KeptLetter() = default;
  KeptLetter(const SetAside& letter, Time now);
  /// Headers that are not known are passed over, missing ones leave what they stand for unknown.
  explicit KeptLetter(const JournalRecord& record);

  /// Appends it; the record borrows its bytes, and those that are made for it in `texts`.
  void append_to(std::vector<JournalRecord>& records, std::deque<std::string>& texts) const;
  /// About what it takes in memory and on disk.
  std::size_t bytes() const {
    return 160 + component.size() + reason.size() + where.size() + record.size();
  }

  bool is_cut() const { return whole_bytes > record.size(); }

  Time at = 0;  ///< wall clock
  std::string component;
  std::uint32_t task = 0;
  std::string reason;
  std::string where;
  std::string record;
  std::uint64_t whole_bytes = 0;  ///< of the record, before it was cut
  int tries = 0;                  ///< 0: not known
  LetterOrigin origin;
  bool is_record = true;  ///< as of SetAside
};

/// The topic of a topology's dead letters: its name, with '_' for what topics may not have.
std::string letter_topic(std::string_view topology);

}  // namespace millrace::detail
