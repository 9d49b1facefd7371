// AscendingRuns: pairs of a time and a hash that come nearly in the order of their times, in a few
// runs that are in order.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/memory_meter.hpp"
#include "base/time.hpp"

namespace millrace::detail {

struct TimedHash {
  Time time;
  std::uint64_t hash;
  friend auto operator<=>(const TimedHash&, const TimedHash&) = default;
};

/// Calls visit(from, to) for the pairs of each time that more than one has; they are in the order
/// of their times.
template <class Visit>
void each_tie(std::vector<TimedHash>& pairs, Visit&& visit) {
  for (auto from = pairs.begin(); from != pairs.end();) {
    auto to = from + 1;
    while (to != pairs.end() && to->time == from->time) ++to;
    if (to - from > 1) visit(from, to);
    from = to;
  }
}

/// Where each of a few senders tells its times in order, as the sources of a join do, a heap is
/// more than is needed: a pair goes to the run whose last time is the greatest that does not lie
/// behind its own (patience sorting: Aldous, Diaconis, Bulletin of the AMS 36, 1999). What none of
/// the runs takes is the caller's to keep.
///
/// One thread. O(1) amortised. Throws MemoryRefused, unchanged, where its meter does not let it
/// grow.
class AscendingRuns {
 public:
  /// `meter` counts its memory and outlives it; null: nobody does.
  explicit AscendingRuns(MemoryMeter* meter) : meter_(meter) {}
  AscendingRuns(const AscendingRuns&) = delete;
  AscendingRuns& operator=(const AscendingRuns&) = delete;
  ~AscendingRuns() {
    if (meter_) meter_->shrink(bytes_);
  }

  std::size_t bytes() const { return bytes_; }
  /// The least time; kTimeMax when empty.
  Time next() const {
    Time least = kTimeMax;
    for (const Run& run : runs_) least = std::min(least, run.first);
    return least;
  }
  /// The pair that stands `places` behind the next one of its run; null: there is none.
  const TimedHash* ahead(std::size_t places) const {
    const Run& run = *std::ranges::min_element(runs_, {}, &Run::first);
    return run.head + places < run.list.size() ? &run.list[run.head + places] : nullptr;
  }

  /// False: no run takes it, and nothing has changed.
  bool push(TimedHash entry) {
    const Time time = entry.time;
    if ((time < runs_[open_].last || time >= next_last_) && !open_for(time)) return false;
    Run& run = runs_[open_];
    if (run.list.size() == run.list.capacity()) enlarge(run);
    run.list.push_back(entry);
    if (run.is_empty()) run.first = time;
    run.last = time;
    return true;
  }
  /// Takes out all pairs of `time`, the least one, and appends their hashes.
  void take_at(Time time, std::vector<std::uint64_t>& hashes);
  /// Takes out the pairs up to `until` in the order of their times and appends them to `due`; no
  /// further time is begun once that has `most` of them.
  void take(Time until, std::size_t most, std::vector<TimedHash>& due);
  /// Calls visit(pair) for each, in no order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Run& run : runs_) {
      for (std::size_t at = run.head; at < run.list.size(); ++at) visit(run.list[at]);
    }
  }
  /// Keeps `pairs` alone, which are in order and before kTimeMax.
  void assign(std::vector<TimedHash> pairs);

 private:
  static constexpr std::size_t kRuns = 4;

  struct Run {
    bool is_empty() const { return first == kTimeMax; }
    std::vector<TimedHash> list;
    std::size_t head = 0;   ///< those before it have gone
    Time first = kTimeMax;  ///< kTimeMax: it is empty
    Time last = kTimeMin;
  };

  bool open_for(Time time);
  static void step(Run& run) {
    ++run.head;
    run.first = run.head < run.list.size() ? run.list[run.head].time : kTimeMax;
  }
  void tidy(Run& run);
  void empty(Run& run);
  void release(Run& run);
  void enlarge(Run& run);

  std::array<Run, kRuns> runs_;
  std::size_t open_ = 0;       ///< the run that took the last one
  Time next_last_ = kTimeMax;  ///< the least last time of the others that lies behind its own
  std::size_t bytes_ = 0;
  MemoryMeter* meter_;
};

}  // namespace millrace::detail
