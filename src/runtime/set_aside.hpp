// SetAside: a record that a task gives up, with all that is known of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "record/batch.hpp"

namespace millrace::detail {

/// What a record was made of: a record that a source read.
struct LetterOrigin {
  std::string source;  ///< the component; empty: not known
  std::optional<std::uint32_t> partition = {};
  /// 0-based, among the records of the partition that the source handed on in this run.
  std::optional<std::uint64_t> position = {};
};

/// Borrows its texts.
struct SetAside {
  std::string_view component;
  std::uint32_t task = 0;
  std::string_view reason;
  std::string_view where;   ///< "file:line", "topic/partition:offset", a message, a window, or ""
  std::string_view record;  ///< as JSON, or the line that does not fit
  int tries = 0;            ///< how often it was tried in all; 0: not known
  LetterOrigin origin = {};
  bool is_record = true;  ///< false: `record` is the key of a row or timer that could not be made
};

/// Sees dead letters of all tasks; any thread.
class DeadLetterLog {
 public:
  virtual ~DeadLetterLog() = default;
  virtual void add(const SetAside& letter) = 0;
  /// What failed and is tried again: counted by its reason, and no dead letter.
  virtual void note_failure(std::string_view /*component*/, std::string_view /*reason*/,
                            std::string_view /*where*/) {}
  /// The record of a source that this is the place of; no source where it is none of a source's.
  virtual LetterOrigin origin_of(const Arrival& /*place*/) const { return {}; }
};

}  // namespace millrace::detail
