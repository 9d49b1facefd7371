// IdleGap: how long an executor spins and sleeps, from how far apart its sources' records come.
#pragma once

#include <algorithm>
#include <cstdint>

namespace millrace::detail {

/// Pure arithmetic over times it is told. One thread.
class IdleGap {
 public:
  /// About the cost of a futex wake-up (6 to 12 microseconds): spinning longer does not pay.
  static constexpr std::int64_t kSpinNs = 12'000;
  /// A spout whose records come closer together than this is worth spinning for: parking would make
  /// each of them wait for a timer.
  static constexpr std::int64_t kSpinNsMax = 50'000;
  /// A source that has nothing now is asked again after a part of its usual gap between records,
  /// within these: the latency of a spout that was idle.
  static constexpr std::int64_t kPollNsMin = 50'000;
  static constexpr std::int64_t kPollNsMax = 500'000;

  /// From idle to work again: `polled` records were read by its sources, ever.
  void learn(std::int64_t now_ns, std::uint64_t polled) {
    constexpr std::int64_t kShare = 8;
    const std::uint64_t fresh = polled > polled_before_ ? polled - polled_before_ : 1;
    const std::int64_t gap = (now_ns - learned_at_ns_) / static_cast<std::int64_t>(fresh);
    if (learned_at_ns_ != 0) gap_ns_ += (gap - gap_ns_) / kShare;
    learned_at_ns_ = now_ns;
    polled_before_ = polled;
  }
  /// Twice the usual gap between records when that is short, else about what a wake-up costs.
  std::int64_t spin_ns(bool polls) const {
    const std::int64_t wanted = 2 * gap_ns_;
    return polls && wanted <= kSpinNsMax ? std::max(wanted, kSpinNs) : kSpinNs;
  }
  std::int64_t poll_ns() const { return std::clamp(gap_ns_ / 4, kPollNsMin, kPollNsMax); }

 private:
  std::int64_t gap_ns_ = 0;
  std::int64_t learned_at_ns_ = 0;
  std::uint64_t polled_before_ = 0;
};

}  // namespace millrace::detail
