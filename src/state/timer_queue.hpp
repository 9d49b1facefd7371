// TimerQueue: the pending timers of a task by time, as pairs of a time and a key's hash.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/memory_meter.hpp"
#include "base/time.hpp"

namespace millrace::detail {

/// A radix heap (Ahuja, Mehlhorn, Orlin, Tarjan: Faster algorithms for the shortest path problem,
/// JACM 1990): time goes forward, so a timer is moved at most once for each bit in which its time
/// and the last one that came differ, always in order through memory. A push is O(1).
///
/// It may hold pairs that are of no use any more, and pairs twice: whoever pops asks the key. One
/// thread. Throws MemoryRefused, unchanged, where its meter does not let it grow.
class TimerQueue {
 public:
  struct Entry {
    Time time;
    std::uint64_t hash;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  /// `meter` counts its memory and outlives it; null: nobody does.
  explicit TimerQueue(MemoryMeter* meter = nullptr) : meter_(meter) { least_.fill(kTimeMax); }
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue() {
    if (meter_) meter_->shrink(bytes_);
  }

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return bytes_; }
  /// The least time; kTimeMax when empty.
  Time next() const {
    for (std::size_t at = 0; at < kBuckets; ++at) {
      if (!buckets_[at].empty()) return least_[at];
    }
    return kTimeMax;
  }

  /// `time` may lie before times that were popped. O(1).
  void push(Time time, std::uint64_t hash) {
    put(bucket_of(time), {time, hash});
    ++size_;
  }

  /// Takes out all pairs of the least time, if that is at most `until`, and gives their hashes.
  std::optional<Time> pop(Time until, std::vector<std::uint64_t>& hashes);

  /// Keeps one each of the pairs for which keep(entry) holds. O(n log n).
  template <class Keep>
  void retain(Keep&& keep) {
    for (std::size_t at = 0; at < kBuckets; ++at) {
      std::erase_if(buckets_[at], [&](const Entry& entry) { return !keep(entry); });
      make_distinct(at);
    }
  }

 private:
  static constexpr std::size_t kBuckets = 65;
  using Bucket = std::vector<Entry>;

  static std::uint64_t ordered(Time time) {
    return static_cast<std::uint64_t>(time) ^ (std::uint64_t{1} << 63);
  }
  /// 0: not after the last one; else the highest bit in which they differ, from 1.
  std::size_t bucket_of(Time time) const {
    const std::uint64_t at = ordered(time);
    const std::uint64_t last = ordered(last_);
    return at <= last ? 0 : static_cast<std::size_t>(std::bit_width(at ^ last));
  }
  void put(std::size_t to, Entry entry) {
    Bucket& bucket = buckets_[to];
    if (bucket.size() == bucket.capacity()) enlarge(bucket);
    bucket.push_back(entry);
    if (entry.time < least_[to]) least_[to] = entry.time;
  }
  void enlarge(Bucket& bucket);
  void release(Bucket& bucket);
  void make_distinct(std::size_t at);
  void spread(std::size_t from);

  std::array<Bucket, kBuckets> buckets_;
  std::array<Time, kBuckets> least_;  ///< of each bucket that is not empty
  Time last_ = kTimeMin;              ///< the greatest time that was popped
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
  MemoryMeter* meter_;
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

 private:
  Time first_ = kTimeMax;
  std::unique_ptr<std::vector<Time>> more_;  ///< ascending, all greater than first_
};

}  // namespace millrace::detail
