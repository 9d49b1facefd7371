// TimerQueue: the pending timers of a task by time, as pairs of a time and a key's hash.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/memory_meter.hpp"
#include "base/time.hpp"
#include "state/ascending_runs.hpp"

namespace millrace::detail {

/// What comes in the order of its time, from a few senders, waits in runs that are merged; the rest
/// in a radix heap (Ahuja, Mehlhorn, Orlin, Tarjan: Faster algorithms for the shortest path
/// problem, JACM 1990): time goes forward, so a timer is moved at most once for each bit in which
/// its time and the one that was reached differ, always in order through memory. What is due is
/// sorted at once, so that whoever pops may look ahead. A push is O(1); O(log n) before what was
/// reached.
///
/// It may hold pairs that are of no use any more, and pairs twice: whoever pops asks the key. One
/// thread. Throws MemoryRefused, unchanged, where its meter does not let it grow.
class TimerQueue {
 public:
  using Entry = TimedHash;

  /// `meter` counts its memory and outlives it; null: nobody does.
  explicit TimerQueue(MemoryMeter* meter = nullptr) : runs_(meter), meter_(meter) {
    least_.fill(kTimeMax);
  }
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue() {
    if (meter_) meter_->shrink(bytes_);
  }

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return bytes_ + runs_.bytes(); }
  /// The least time; kTimeMax when empty.
  Time next() const { return std::min(runs_.next(), heap_next()); }
  /// A pair that stands about `places` behind the next one, if it is known yet; null: it is not.
  const Entry* ahead(std::size_t places) const {
    if (reached_.empty()) return runs_.ahead(places);
    return places < reached_.size() ? &reached_[reached_.size() - 1 - places] : nullptr;
  }

  /// `time` may lie before times that were popped.
  void push(Time time, std::uint64_t hash) {
    if (!runs_.push({time, hash})) push_heap({time, hash});
    ++size_;
  }

  /// Takes out all pairs of the least time, if that is at most `until`, and gives their hashes.
  std::optional<Time> pop(Time until, std::vector<std::uint64_t>& hashes);
  /// Takes out the pairs up to `until` in the order of their times: all, or `most` of them and the
  /// others of the last time. Empty: there are none.
  void take(Time until, std::size_t most, std::vector<Entry>& due);

  /// Calls visit(entry) for each pair, in no order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const List& bucket : buckets_) {
      for (const Entry& entry : bucket) visit(entry);
    }
    for (const Entry& entry : early_) visit(entry);
    for (const Entry& entry : reached_) visit(entry);
    runs_.for_each(visit);
  }
  /// Keeps one each of the pairs for which keep(entry) holds. O(n log n).
  template <class Keep>
  void retain(Keep&& keep) {
    std::vector<Entry> kept;
    for_each([&](const Entry& entry) {
      if (keep(entry)) kept.push_back(entry);
    });
    renew(std::move(kept));
  }

 private:
  static constexpr std::size_t kBuckets = 64;
  using List = std::vector<Entry>;

  static std::uint64_t ordered(Time time) {
    return static_cast<std::uint64_t>(time) ^ (std::uint64_t{1} << 63);
  }
  void push_heap(Entry entry) { return entry.time <= last_ ? push_early(entry) : put(entry); }
  void put(Entry entry) {
    const auto to =
        static_cast<std::size_t>(std::bit_width(ordered(entry.time) ^ ordered(last_))) - 1;
    if (buckets_[to].size() == buckets_[to].capacity()) enlarge(buckets_[to]);
    buckets_[to].push_back(entry);
    if (entry.time < least_[to]) least_[to] = entry.time;
    filled_ |= std::uint64_t{1} << to;
  }
  /// The least time in the heap; kTimeMax when that is empty.
  Time heap_next() const {
    if (!reached_.empty() || !early_.empty()) return first_reached();
    return filled_ == 0 ? kTimeMax : least_[static_cast<std::size_t>(std::countr_zero(filled_))];
  }
  Time first_reached() const {
    if (early_.empty()) return reached_.back().time;
    return reached_.empty() ? early_.front().time
                            : std::min(early_.front().time, reached_.back().time);
  }
  void push_early(Entry entry);
  void pop_heap(Time time, Time until, std::vector<std::uint64_t>& hashes);
  void reach(Time until);
  void enlarge(List& list);
  void empty(List& list);
  void release(List& list);
  void renew(std::vector<Entry> kept);

  AscendingRuns runs_;
  // The heap, of what none of them took.
  /// By the highest bit in which their times differ from last_, all later than that.
  std::array<List, kBuckets> buckets_;
  std::array<Time, kBuckets> least_;  ///< of each bucket that is not empty
  std::uint64_t filled_ = 0;          ///< those that are not, by bits
  List reached_;                      ///< descending, none later than last_
  List early_;                        ///< a heap of what came when its time was reached already
  Time last_ = kTimeMin;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;  ///< of the heap
  MemoryMeter* meter_;
  std::vector<std::uint64_t> popped_;
};

/// The pending times of one key, ascending; most keys have one, which costs no heap.
class TimerSet {
 public:
  bool empty() const { return first_ == kTimeMax; }
  /// The least; kTimeMax when empty.
  Time first() const { return first_; }
  bool contains(Time time) const;
  /// False when it is there already; `time` is not kTimeMax.
  bool insert(Time time);
  /// False when it is not there.
  bool erase(Time time);
  std::size_t size() const { return empty() ? 0 : 1 + (more_ ? more_->size() : 0); }
  /// All of them, ascending.
  std::vector<Time> all() const;

 private:
  Time first_ = kTimeMax;
  std::unique_ptr<std::vector<Time>> more_;  ///< ascending, all greater than first_
};

}  // namespace millrace::detail
