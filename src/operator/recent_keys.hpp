// RecentKeys: which keys were used since somebody last asked, as one bit for each of their hashes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace::detail {

/// Second chance (Corbató 1968) without a bit in each row, so that rows which never leave memory
/// pay nothing. Hashes may share a bit: then one that was not used stays a little longer. One
/// thread.
class RecentKeys {
 public:
  /// Makes room for that many keys; forgets all where there was too little.
  void fit(std::size_t keys) {
    const std::size_t wanted = std::bit_ceil(std::max(keys, kLeast / kBitsPerKey) * kBitsPerKey);
    if (wanted > words_.size() * 64) words_.assign(wanted / 64, 0);
  }
  void mark(std::uint64_t hash) { word_of(hash) |= bit_of(hash); }
  /// Whether it was marked; it no longer is.
  bool take(std::uint64_t hash) {
    std::uint64_t& word = word_of(hash);
    const bool marked = (word & bit_of(hash)) != 0;
    word &= ~bit_of(hash);
    return marked;
  }

 private:
  static constexpr std::size_t kBitsPerKey = 8;
  static constexpr std::size_t kLeast = 4096;
  std::uint64_t& word_of(std::uint64_t hash) { return words_[(hash >> 12) & (words_.size() - 1)]; }
  static std::uint64_t bit_of(std::uint64_t hash) { return std::uint64_t{1} << (hash >> 6 & 63); }

  std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>(kLeast / 64);
};

}  // namespace millrace::detail
