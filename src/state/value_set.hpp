// Sets of the values an accumulator has met, for exact counts of distinct ones: words and texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_codec.hpp"
#include "base/hash.hpp"

namespace millrace::detail {

/// Words of 64 bits: open addressing, at most half full, 8 bytes a slot. Empty it holds no memory,
/// so that one a key and pane is affordable. One thread.
class WordSet {
 public:
  void insert(std::uint64_t word) {
    if (word == 0) {
      has_zero_ = true;
      return;
    }
    if (2 * used_ >= slots_.size()) grow();
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash_integer(word) & mask;; at = (at + 1) & mask) {
      if (slots_[at] == word) return;
      if (slots_[at] != 0) continue;
      slots_[at] = word;
      ++used_;
      return;
    }
  }
  void merge(const WordSet& other);
  std::size_t size() const { return used_ + (has_zero_ ? 1 : 0); }
  std::size_t heap_bytes() const { return slots_.capacity() * sizeof(std::uint64_t); }
  /// Calls visit(word) for each, in no order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    if (has_zero_) visit(std::uint64_t{0});
    for (const std::uint64_t word : slots_) {
      if (word != 0) visit(word);
    }
  }

  /// See StoresItself.
  static constexpr std::string_view stored_shape() { return "words"; }
  void store(std::string& out) const;
  bool load(BytesCursor& in);

 private:
  void grow();

  std::vector<std::uint64_t> slots_;  ///< 0: empty; a power of two of them
  std::size_t used_ = 0;
  bool has_zero_ = false;
};

/// Texts, copied into one run of bytes of the set's own. One thread.
class TextSet {
 public:
  void insert(std::string_view text) { insert(text, hash_bytes(text)); }
  void merge(const TextSet& other);
  std::size_t size() const { return used_; }
  std::size_t heap_bytes() const { return slots_.capacity() * sizeof(Slot) + bytes_.capacity(); }

  /// See StoresItself.
  static constexpr std::string_view stored_shape() { return "texts"; }
  void store(std::string& out) const;
  bool load(BytesCursor& in);

 private:
  struct Slot {
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t tag = 0;  ///< 0: empty; else bits of the hash, never 0
  };
  static std::uint32_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> 32) | 1;
  }
  std::string_view text_of(const Slot& slot) const {
    return std::string_view(bytes_).substr(slot.offset, slot.size);
  }
  void insert(std::string_view text, std::uint64_t hash);
  void grow();

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
  std::string bytes_;
};

}  // namespace millrace::detail
