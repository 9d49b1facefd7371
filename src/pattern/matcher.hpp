// Matcher: finds the matches of a pattern in the records of each key, which come in their order.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/byte_codec.hpp"
#include "pattern/match_buffer.hpp"
#include "pattern/match_plan.hpp"

namespace millrace::detail {

/// A partial match: what it has, and the ways on that are still open.
struct MatchRun {
  Time first = 0;  ///< of its first record
  Time last = 0;
  std::uint64_t start = 0;  ///< number of its first record
  std::uint64_t open = 0;   ///< ways of its step, by bits
  std::uint32_t node = 0;   ///< of the buffer
  std::uint32_t step = 0;
  bool fresh = true;  ///< no record has come behind its last one
};

/// A match that waits for what began before it to be decided.
struct FoundMatch {
  std::uint64_t start = 0;
  std::uint64_t order = 0;  ///< among those found
  std::uint32_t node = 0;
  /// For a heap whose front is the one that began first.
  friend bool operator<(const FoundMatch& a, const FoundMatch& b) {
    return a.start == b.start ? a.order > b.order : a.start > b.start;
  }
};

/// What one key keeps. Let go by Matcher::clear() before it goes.
struct KeyMatches {
  /// `meter` counts it and outlives it; null: nobody does.
  explicit KeyMatches(MemoryMeter* meter)
      : runs(CountedAllocator<MatchRun>(meter)), held(CountedAllocator<FoundMatch>(meter)) {}
  bool empty() const { return runs.empty() && held.empty(); }

  CountedVector<MatchRun> runs;
  CountedVector<FoundMatch> held;  ///< a heap
  std::uint64_t records = 0;       ///< numbers the records
  std::uint64_t found = 0;         ///< numbers the matches
  Time deadline = kTimeMax;        ///< no run is over before
  Time alarm = kTimeMax;           ///< the owner's: when it is to look next
};

/// How many partial matches there are, and matches that wait for what began before them.
struct MatchCounts {
  std::int64_t partial = 0;
  std::int64_t waiting = 0;

  static MatchCounts of(const KeyMatches& key) {
    return {static_cast<std::int64_t>(key.runs.size()), static_cast<std::int64_t>(key.held.size())};
  }
  MatchCounts& operator+=(const MatchCounts& other) {
    partial += other.partial;
    waiting += other.waiting;
    return *this;
  }
  MatchCounts operator-(const MatchCounts& other) const {
    return {partial - other.partial, waiting - other.waiting};
  }
};

/// What the matcher asks of who has the records. A node is the last one of a path in the buffer.
class MatchHost {
 public:
  /// Whether a condition holds for the record at hand behind those of `node` (or kNone). May throw.
  virtual bool holds(std::uint32_t condition, std::uint32_t node) = 0;
  /// Keeps the record at hand; returns where.
  virtual std::uint64_t keep() = 0;
  virtual void gone(std::uint64_t slot) = 0;
  /// A match, at that time.
  virtual void matched(std::uint32_t node, Time now) = 0;
  /// A match that the rule for what comes after it cannot be applied to; see fail_on_miss.
  virtual void missed(std::uint32_t node, Time now) = 0;
  /// A partial match whose time is over.
  virtual void timed_out(std::uint32_t node, Time now) = 0;

 protected:
  ~MatchHost() = default;
};

/// What is found depends on the records of a key and their order alone. Of equal rank: matches are
/// told when they are complete; those that a record completes in the order of their records, the
/// earlier ones first. Where matches are skipped, one waits until none that began before it can be
/// completed any more; of those that begin with one record the first that was complete is first.
///
/// One a task. Cost of a record: O(partial matches of its key); a condition is asked once for each
/// of them that waits for it.
class Matcher {
 public:
  /// All outlive it. `meter` may be null.
  Matcher(const MatchPlan& plan, MatchHost& host, MemoryMeter* meter)
      : plan_(plan),
        lasting_(plan.shape.lasting().count()),
        host_(host),
        buffer_(meter),
        decisions_(CountedAllocator<Decision>(meter)),
        begun_(CountedAllocator<MatchRun>(meter)),
        complete_(CountedAllocator<Complete>(meter)),
        over_(CountedAllocator<Complete>(meter)) {}

  const MatchPlan& plan() const { return plan_; }
  const MatchBuffer& buffer() const { return buffer_; }

  /// The next record of the key. When a condition throws, the key is as if it had not come.
  void take(KeyMatches& key, Time time);
  /// No record before `until` comes any more: what is over at that time or before.
  void expire(KeyMatches& key, Time until);
  /// No record comes any more: partial matches go, what waited for them is told at `now`.
  void end(KeyMatches& key, Time now);
  /// Lets go of all.
  void clear(KeyMatches& key);

  /// See MatchBuffer. Between records.
  template <class Move>
  void move_records(Move&& move) {
    buffer_.move_records(move);
  }

  /// For images: `store` appends the record at a slot.
  void store(std::string& out, const KeyMatches& key,
             const std::function<void(std::string&, std::uint64_t)>& store) const;
  /// Into an empty one; `load` reads a record and keeps it. False: it does not fit.
  bool load(BytesCursor& in, KeyMatches& key,
            const std::function<std::optional<std::uint64_t>(BytesCursor&)>& load);
  /// Of what store() wrote, with records of so many bytes each; bytes that do not fit have none.
  static MatchCounts count(BytesCursor in, std::size_t record_bytes);

 private:
  struct Decision {
    std::uint64_t taken = 0;
    std::uint64_t open = 0;
  };
  struct Complete {
    std::uint64_t start;
    std::uint32_t node;
  };

  Decision decide(const MatchStep& step, std::uint64_t open, bool fresh, std::uint32_t node);
  bool forbidden(const MatchWay& way, bool fresh, std::uint32_t node);
  bool asks(std::uint32_t condition, std::uint32_t node) {
    return condition == kNoCondition || host_.holds(condition, node);
  }
  void apply(KeyMatches& key, Time time);
  void extend(KeyMatches& key, const MatchRun* run, const MatchStep& step, std::uint64_t taken,
              Time time);
  /// When the run takes no more records, or none may come any more for what must not.
  Time deadline_of(const MatchRun& run) const {
    return std::min(taking_until(run), decided_at(run));
  }
  Time taking_until(const MatchRun& run) const;
  /// Of a run that is a whole match then unless something forbids it; else the end of time.
  Time decided_at(const MatchRun& run) const;
  /// The open ways of a run to its end.
  std::uint64_t ways_to_end(const MatchRun& run) const;
  void drop_expired(KeyMatches& key, Time now);
  /// Of the record at hand nothing is needed any more; keeps the room that so many partial matches
  /// will want.
  void clear_lists(std::size_t runs);
  /// Tells what is complete.
  void settle(KeyMatches& key, Time now);
  void put_in_order(CountedVector<Complete>& list);
  std::strong_ordering compare(std::uint32_t a, std::uint32_t b) const;
  std::size_t length(std::uint32_t node) const;
  void tell_first(KeyMatches& key, Time now);
  std::optional<std::uint64_t> skip_to(std::uint32_t node, std::uint64_t start, bool& missed) const;
  void prune(KeyMatches& key, std::uint64_t before);
  void let_go(std::uint32_t node) {
    buffer_.let_go(node, [this](std::uint64_t slot) { host_.gone(slot); });
  }

  const MatchPlan& plan_;
  const std::int64_t lasting_;  ///< of what must not come at the end; 0: as `within` says
  MatchHost& host_;
  MatchBuffer buffer_;
  // Of the record at hand.
  CountedVector<Decision> decisions_;  ///< by run; the last one: what begins
  CountedVector<MatchRun> begun_;
  CountedVector<Complete> complete_;
  CountedVector<Complete> over_;  ///< partial matches whose time is over
  std::uint32_t record_ = MatchBuffer::kNone;
};

}  // namespace millrace::detail
