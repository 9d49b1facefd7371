// The events of W2, and what a row of W1 or W2 adds to a checksum, whoever computes it.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "flat_map.hpp"
#include "harness.hpp"
#include "millrace/topology.hpp"

namespace millrace::bench {

/// A tag with its place among the most frequent ones.
inline std::uint64_t tag_row_sum(std::uint64_t rank, std::string_view tag, std::uint64_t count) {
  return mix(mix(hash_of(tag) ^ rank) + count);
}

inline constexpr std::uint32_t kWindowSumKeys = 10'000;

struct WindowEvent {
  std::uint32_t key = 0;
  double value = 0;
  Timestamp time;
};

/// Event `index`: a thousand a millisecond. Values are whole, so that no order changes their sum.
inline WindowEvent window_event(std::uint64_t index) {
  std::uint64_t word = (index + 1) * 0x9e3779b97f4a7c15ull;
  word = (word ^ (word >> 32)) * 0xd6e8feb86659fd93ull;
  return {static_cast<std::uint32_t>(((word >> 32) * kWindowSumKeys) >> 32),
          static_cast<double>(index & 1023), Timestamp{static_cast<std::int64_t>(index)}};
}

inline std::uint64_t window_row_sum(std::int64_t window_start, std::uint32_t key, double sum) {
  return mix(mix(static_cast<std::uint64_t>(window_start) ^ (std::uint64_t{key} << 40)) +
             std::bit_cast<std::uint64_t>(sum));
}

}  // namespace millrace::bench
