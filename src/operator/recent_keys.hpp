// RecentKeys: which keys were used since somebody last asked, as a small count for each of their
// hashes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace::detail {

/// Generalized clock (Smith 1978): each use is a further chance, of three at most, so that keys
/// that are used again and again outlast those that come once. Counters are beside the rows, so
/// that rows which never leave memory pay nothing. Hashes may share one: then a key that was not
/// used stays a little longer. One thread.
class RecentKeys {
 public:
  /// Makes room for that many keys; forgets all where there was too little.
  void fit(std::size_t keys) {
    const std::size_t wanted = std::bit_ceil(std::max(keys, kLeast / kBitsPerKey) * kBitsPerKey);
    if (wanted > words_.size() * 64) words_.assign(wanted / 64, 0);
  }
  void mark(std::uint64_t hash) {
    std::uint64_t& word = word_of(hash);
    if ((word >> shift_of(hash) & kUsesMost) != kUsesMost)
      word += std::uint64_t{1} << shift_of(hash);
  }
  /// Whether it has a chance left; it has one less then.
  bool take(std::uint64_t hash) {
    std::uint64_t& word = word_of(hash);
    if ((word >> shift_of(hash) & kUsesMost) == 0) return false;
    word -= std::uint64_t{1} << shift_of(hash);
    return true;
  }

 private:
  static constexpr std::size_t kBitsPerKey = 8;
  static constexpr std::uint64_t kUsesMost = 3;
  static constexpr std::size_t kLeast = 4096;
  std::uint64_t& word_of(std::uint64_t hash) { return words_[(hash >> 12) & (words_.size() - 1)]; }
  static int shift_of(std::uint64_t hash) { return static_cast<int>(hash >> 5 & 62); }

  std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>(kLeast / 64);
};

}  // namespace millrace::detail
