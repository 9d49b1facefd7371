// An open loop: events at a fixed rate, and the latency of each from when it was due.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "harness.hpp"

namespace millrace::bench {

inline constexpr std::uint32_t kKeys = 10'000;
inline constexpr std::int64_t kLeadNs = 10'000'000;  // between the start and the first event

inline std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct Tick {
  std::int64_t due_ns;
  std::uint64_t index;
};
struct KeyedTick {
  std::int64_t due_ns;
  std::uint32_t key;
};
/// A count that remembers when the event was due that it counted last: the sink needs it, and order
/// between keys is not kept across tasks.
struct Seen {
  std::int64_t count = 0;
  std::int64_t due_ns = 0;
};

inline KeyedTick keyed(const Tick& tick) {
  return {tick.due_ns, static_cast<std::uint32_t>(((mix(tick.index) >> 32) * kKeys) >> 32)};
}
inline void count_tick(Seen& seen, const KeyedTick& tick) noexcept {
  ++seen.count;
  seen.due_ns = tick.due_ns;
}

/// When each event is due. The first one a little after the start, so that starting is not
/// measured.
class Schedule {
 public:
  Schedule(std::uint64_t rate, std::uint64_t records)
      : interval_ns_(1e9 / static_cast<double>(rate)), records_(records) {}
  void start() { start_ns_ = now_ns() + kLeadNs; }
  bool done() const { return next_ == records_; }
  bool is_due() const { return now_ns() >= due_ns_of(next_); }
  Tick take() {
    const std::uint64_t index = next_++;
    return {due_ns_of(index), index};
  }

 private:
  std::int64_t due_ns_of(std::uint64_t index) const {
    return start_ns_ + static_cast<std::int64_t>(static_cast<double>(index) * interval_ns_);
  }
  double interval_ns_;
  std::uint64_t records_;
  std::uint64_t next_ = 0;
  std::int64_t start_ns_ = 0;
};

/// What the sink does with an update, the same for both.
class Recorder {
 public:
  explicit Recorder(std::uint64_t records) : latencies_ns_(records) {}
  void take(std::uint32_t key, const Seen& seen) {
    checksum_ += mix((std::uint64_t{key} << 40) ^ static_cast<std::uint64_t>(seen.count));
    if (count_ < latencies_ns_.size()) {
      latencies_ns_[count_] = static_cast<std::uint32_t>(
          std::clamp<std::int64_t>(now_ns() - seen.due_ns, 0, 0xffffffff));
    }
    ++count_;
  }
  Answer answer() && { return {count_, checksum_, std::move(latencies_ns_), {}}; }

 private:
  std::vector<std::uint32_t> latencies_ns_;
  std::uint64_t count_ = 0;
  std::uint64_t checksum_ = 0;
};

}  // namespace millrace::bench
