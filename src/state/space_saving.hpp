// SpaceSaving: the most frequent of many hashes in a fixed number of counters, each with its error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/byte_codec.hpp"

namespace millrace::detail {

/// Space-Saving of A. Metwally, D. Agrawal and A. El Abbadi, "Efficient computation of frequent and
/// top-k elements in data streams" (2005): a new hash takes the place of the least counted one and
/// its count as error. Joined as in Agarwal et al., "Mergeable summaries" (2012).
///
/// Of n hashes with m counters each count is at most n / m too high and never too low: count -
/// error <= true count <= count; every hash that came more than n / m times is there. Exact while
/// there are no more than m different ones. Cost: O(log m). Memory: about 72 bytes a counter. One
/// thread.
class SpaceSaving {
 public:
  struct Counter {
    std::uint64_t hash = 0;
    std::uint64_t count = 0;
    std::uint64_t error = 0;
  };

  SpaceSaving() = default;  ///< for load()
  explicit SpaceSaving(std::size_t counters) : most_(counters) {}

  /// The place of the hash among counters(), which keeps it until another takes its place. `fresh`:
  /// it is new there.
  struct Place {
    std::size_t at;
    bool fresh;
  };
  Place add(std::uint64_t hash);
  /// About.
  std::size_t heap_bytes() const {
    return counters_.capacity() * (sizeof(Counter) + 2 * sizeof(std::uint32_t)) +
           places_.size() * (sizeof(*places_.begin()) + 4 * sizeof(void*));
  }
  /// By place.
  const std::vector<Counter>& counters() const { return counters_; }
  /// What a hash that has no counter may have come at most.
  std::uint64_t missed() const;
  /// Takes these counters, at most as many as there are, with their places.
  void replace(std::vector<Counter> counters);

  /// See StoresItself; into one of as many counters.
  static constexpr std::string_view stored_shape() { return "spacesaving"; }
  void store(std::string& out) const;
  bool load(BytesCursor& in);

 private:
  void sink(std::size_t at);
  void set(std::size_t at, std::uint32_t place);

  std::size_t most_ = 0;
  std::vector<Counter> counters_;
  std::vector<std::uint32_t> heap_;   ///< places, the least counted first
  std::vector<std::uint32_t> spots_;  ///< where each place stands in the heap
  std::unordered_map<std::uint64_t, std::uint32_t> places_;
};

/// The joined counters of two: of each the hash, count and error, the most counted first.
std::vector<SpaceSaving::Counter> joined(const SpaceSaving& a, const SpaceSaving& b,
                                         std::size_t most);

}  // namespace millrace::detail
