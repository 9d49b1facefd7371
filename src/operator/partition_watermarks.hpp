// PartitionWatermarks: the watermarks of a task's partitions, which of them are idle or ended, and
// the stream's watermark.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/time.hpp"
#include "record/batch.hpp"

namespace millrace::detail {

/// The stream's watermark is the least of the partitions that are neither idle nor ended; while
/// all that are left are idle, the greatest of those.
class PartitionWatermarks {
 public:
  enum class State : std::uint8_t { active, idle, ended };

  /// `bound`: how far a watermark stays behind the newest time of its partition, microseconds.
  explicit PartitionWatermarks(std::int64_t bound) : bound_(bound) {}

  void resize(std::uint32_t partitions) {
    marks_.resize(partitions, kTimeMin);
    newests_.resize(partitions, kTimeMin);
    states_.resize(partitions, State::active);
  }

  /// The watermark of `partition` before its next record.
  Time of(std::uint32_t partition) const { return marks_[partition]; }
  std::span<const Time> all() const { return marks_; }
  std::span<const State> states() const { return states_; }
  /// The newest time of any partition; kTimeMin before the first record.
  Time newest() const { return newest_; }
  /// That of each.
  std::span<const Time> newests() const { return newests_; }

  void end(std::uint32_t partition) {
    grow(partition);
    set(partition, State::ended);
    marks_[partition] = kTimeMax;
  }
  /// No record with a time before `time` follows.
  void reach(std::uint32_t partition, Time time) {
    grow(partition);
    marks_[partition] = std::max(marks_[partition], time);
  }
  /// As it stood in an image; `newest` of the partitions that came with it.
  void restore(std::uint32_t partition, Time mark, State state, Time newest) {
    grow(partition);
    set(partition, state);
    marks_[partition] = mark;
    newest_ = std::max(newest_, newest);
  }
  void fall_idle(std::uint32_t partition) { set(partition, State::idle); }
  /// An idle partition goes on: it is at `stream` at least, for the stream's time went on without
  /// it.
  void wake(std::uint32_t partition, Time stream) {
    if (partition >= states_.size() || states_[partition] != State::idle) return;
    set(partition, State::active);
    reach(partition, stream);
  }
  /// All that have not ended are idle, and there are some.
  bool all_idle() const { return idle_ > 0 && idle_ + ended_ == states_.size(); }

  Time least() const {
    if (marks_.empty()) return kTimeMin;
    if (idle_ == 0) return *std::min_element(marks_.begin(), marks_.end());
    const State counts = all_idle() ? State::idle : State::active;
    Time least = kTimeMax;
    Time greatest = kTimeMin;
    for (std::size_t at = 0; at < marks_.size(); ++at) {
      if (states_[at] != counts) continue;
      least = std::min(least, marks_[at]);
      greatest = std::max(greatest, marks_[at]);
    }
    return counts == State::idle ? greatest : least;
  }

  /// Walks the times of a batch of one partition in order: appends a mark for each record behind
  /// the watermark as it stood before the record, and moves the watermark on.
  void observe(std::uint32_t partition, const std::vector<Time>& times,
               std::vector<Behind>& behind) {
    grow(partition);
    Time& mark = marks_[partition];
    if (times.empty()) return;
    if (is_ascending(times)) {
      // No record lies behind one before it: only those behind the mark as it came can be late.
      if (times.front() < mark) mark_late(mark, times, behind);
      mark = std::max(mark, saturating_add(times.back(), -bound_));
      note_newest(partition, times.back());
      return;
    }
    const auto [least, newest] = std::minmax_element(times.begin(), times.end());
    const Time after = std::max(mark, saturating_add(*newest, -bound_));
    note_newest(partition, *newest);
    if (*least < after) mark_late(mark, times, behind);
    mark = after;
  }

  /// The same where next(i) says the watermark after record i; kTimeMin: as before.
  template <class Next>
  void observe_by(std::uint32_t partition, const std::vector<Time>& times,
                  std::vector<Behind>& behind, Next&& next) {
    grow(partition);
    Time& mark = marks_[partition];
    for (std::size_t at = 0; at < times.size(); ++at) {
      if (times[at] < mark) behind.push_back({static_cast<std::uint32_t>(at), mark});
      mark = std::max(mark, next(at));
      note_newest(partition, times[at]);
    }
  }

 private:
  /// Without branches inside, so that it becomes vector instructions.
  static bool is_ascending(const std::vector<Time>& times) {
    const Time* const at = times.data();
    bool descends = false;
    for (std::size_t next = 1; next < times.size(); ++next) descends |= at[next] < at[next - 1];
    return !descends;
  }

  void mark_late(Time mark, const std::vector<Time>& times, std::vector<Behind>& behind) const {
    for (std::size_t at = 0; at < times.size(); ++at) {
      if (times[at] < mark) behind.push_back({static_cast<std::uint32_t>(at), mark});
      mark = std::max(mark, saturating_add(times[at], -bound_));
    }
  }

  void note_newest(std::uint32_t partition, Time time) {
    newests_[partition] = std::max(newests_[partition], time);
    newest_ = std::max(newest_, time);
  }
  void grow(std::uint32_t partition) {
    if (partition >= marks_.size()) resize(partition + 1);
  }
  void set(std::uint32_t partition, State state) {
    State& was = states_[partition];
    if (was == State::ended) return;
    if (was == State::idle) --idle_;
    if (state == State::idle) ++idle_;
    if (state == State::ended) ++ended_;
    was = state;
  }

  std::int64_t bound_;
  Time newest_ = kTimeMin;
  std::vector<Time> newests_;
  std::vector<Time> marks_;
  std::vector<State> states_;
  std::size_t idle_ = 0;
  std::size_t ended_ = 0;
};

}  // namespace millrace::detail
