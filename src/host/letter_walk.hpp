// LetterWalk: kept dead letters, all that a filter lets through, in the order in which they came.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/replay_marks.hpp"
#include "journal/journal.hpp"
#include "journal/log_reader.hpp"
#include "runtime/kept_letter.hpp"

namespace millrace::detail {

/// Which letters somebody wants; empty: any.
struct LetterFilter {
  std::string topology = {};
  std::string component = {};
  std::string reason = {};  ///< a part of it
  std::string alike = {};   ///< a reason that differs from theirs in nothing but numbers

  bool passes(const KeptLetter& letter) const;
};

struct PlacedLetter {
  std::string topic;
  std::uint64_t offset = 0;
  KeptLetter letter;
};

/// By topic, oldest first; of those that there are at its open(): the run that keeps its letters
/// there may go on meanwhile, and what is replayed may come back as a new one.
class LetterWalk {
 public:
  /// Errors: 4001 where there is no journal, or no such topology in it; 4004.
  static Result<LetterWalk> open(const std::string& folder, LetterFilter filter);

  /// False: there are no more. Errors: 4001, 4004.
  Result<bool> next(PlacedLetter& out);
  /// The next one, whether it passes or not; nullopt in `out`: it does not. False as next().
  Result<bool> step(std::optional<PlacedLetter>& out);

  /// Of the first topic: [begin, end) of the offsets there are, and their bytes. Errors: 4001,
  /// 4004.
  struct Extent {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t bytes = 0;
  };
  Extent extent() const { return parts_.empty() ? Extent() : parts_.front().extent; }
  /// Goes on at this offset of the first topic, of its extent.
  void begin_at(std::uint64_t offset);

 private:
  struct Part {
    Topic* topic;
    Extent extent;
  };
  LetterWalk(std::unique_ptr<Journal> journal, LetterFilter filter)
      : journal_(std::move(journal)), filter_(std::move(filter)) {}

  Status add(Topic* topic);

  std::unique_ptr<Journal> journal_;
  LetterFilter filter_;
  std::vector<Part> parts_;
  std::size_t at_ = 0;                 ///< the part that is read
  std::unique_ptr<LogReader> reader_;  ///< null: of the topic that comes next
};

/// Calls use(letter) for each until it says false. Errors: as LetterWalk.
Status read_letters(const std::string& folder, const LetterFilter& filter,
                    const std::function<bool(PlacedLetter)>& use);

/// One JSON object, as docs/guides/how-to-handle-dead-letters.md tells; of the record at most
/// `record_bytes`.
std::string to_json(const PlacedLetter& placed, bool replayed,
                    std::size_t record_bytes = KeptLetter::kRecordBytesMax);

/// Those of a component with reasons that differ in nothing but numbers.
struct LetterReason {
  std::string text;  ///< of the last one
  std::uint64_t count = 0;
  std::uint64_t waiting = 0;  ///< not replayed
  Time first = 0;
  Time last = 0;
};

/// Counts letters by topic, component and reason; of a component at most 100 reasons.
class LetterCounts {
 public:
  using Reasons = std::map<std::string, LetterReason>;  // by the reason without its numbers
  using Components = std::map<std::string, Reasons>;

  void add(const PlacedLetter& letter, bool replayed);
  const std::map<std::string, Components>& topics() const { return topics_; }

 private:
  std::map<std::string, Components> topics_;
};

}  // namespace millrace::detail
