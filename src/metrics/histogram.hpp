// Histogram: a log-linear latency histogram (after HdrHistogram) with one writer and any number of
// readers.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

namespace millrace::detail {

/// Counts values of 0 .. 2^40 (of nanoseconds: 18 minutes) in buckets at most 1/2^SubBits of their
/// value wide.
///
/// add(): its one owner, O(1), no allocation. Reading: any thread.
template <int SubBits, class Count>
class BasicHistogram {
 public:
  static constexpr int kSubBits = SubBits;
  static constexpr std::size_t kBuckets = (40 - kSubBits + 1) << kSubBits;
  using Buckets = std::array<Count, kBuckets>;

  void add(std::uint64_t value, Count times = 1) {
    auto& bucket = counts_[index(value)];
    bucket.store(bucket.load(std::memory_order_relaxed) + times, std::memory_order_relaxed);
  }
  void merge_into(Buckets& sum) const {
    for (std::size_t at = 0; at < kBuckets; ++at) {
      sum[at] += counts_[at].load(std::memory_order_relaxed);
    }
  }
  /// The bucket of a value: linear below 2^kSubBits, then kSubBits bits after the leading one.
  static std::size_t index(std::uint64_t value) {
    if (value < (1u << kSubBits)) return value;
    const int shift = std::bit_width(value) - 1 - kSubBits;
    const std::size_t at =
        ((static_cast<std::size_t>(shift) + 1) << kSubBits) + ((value >> shift) - (1u << kSubBits));
    return at < kBuckets ? at : kBuckets - 1;
  }
  /// The greatest value that falls into bucket `at`.
  static std::uint64_t upper(std::size_t at) {
    if (at < (1u << kSubBits)) return at;
    const int shift = static_cast<int>(at >> kSubBits) - 1;
    const std::uint64_t mantissa = (at & ((1u << kSubBits) - 1)) + (1u << kSubBits);
    return ((mantissa + 1) << shift) - 1;
  }
  /// The value below or at which `share` (0..1) of the counted values lie; 0 when there are none.
  static std::uint64_t quantile(const Buckets& sum, double share) {
    std::uint64_t total = 0;
    for (const Count count : sum) total += count;
    if (total == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total - 1)) + 1;
    std::uint64_t seen = 0;
    for (std::size_t at = 0; at < kBuckets; ++at) {
      seen += sum[at];
      if (seen >= wanted) return upper(at);
    }
    return upper(kBuckets - 1);
  }

 private:
  std::array<std::atomic<Count>, kBuckets> counts_{};
};

/// Of latencies: within 1/16, 5 KiB.
using Histogram = BasicHistogram<4, std::uint64_t>;
/// Of the steps of one stage, one of many thousands: within 1/8, 1.2 KiB. Counts may wrap around;
/// differences of two readings are right.
using StepHistogram = BasicHistogram<3, std::uint32_t>;

}  // namespace millrace::detail
