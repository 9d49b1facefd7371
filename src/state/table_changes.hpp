// TableChanges: what of keyed tables has changed since their last image.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_codec.hpp"
#include "base/memory_meter.hpp"
#include "state/counted_allocator.hpp"

namespace millrace::detail {

/// Which epoch an image is of, and which one it may be the changes of.
struct ImageChain {
  std::uint64_t epoch = 0;  ///< 0: the image stands by itself, and no other comes over it
  std::uint64_t base = 0;   ///< complete; 0: none
};

/// What an image of tables has to hold.
template <std::uint32_t kGroups>
struct ImageExtent {
  bool only_changes = false;      ///< else all
  std::bitset<kGroups> all = {};  ///< of changes: groups of which all entries may have changed
  std::vector<std::string> erased = {};  ///< keys, by group; see TableChanges
};

/// A bit a slot, set before an entry may change, and the keys that were erased. What is not known
/// makes the next image a whole one: of a group that moves its entries, or of all.
///
/// One thread. Memory: an eighth of a byte a slot, and the erased keys, counted, of at most what
/// the tables take; where the meter has none for them, the next image is whole.
template <class K, std::uint32_t kGroups>
class TableChanges {
 public:
  /// Appends the bytes that a key has in images.
  using StoreKey = void (*)(std::string&, const K&);

  /// `meter` outlives it; null: nobody counts.
  TableChanges(StoreKey store_key, MemoryMeter* meter) : store_key_(store_key) {
    for (auto& words : words_) words = Words(CountedAllocator<std::uint64_t>(meter));
    for (auto& keys : erased_) keys = Bytes(CountedAllocator<char>(meter));
  }

  void mark(std::uint32_t group, std::size_t slot) noexcept {
    if (!all_[group]) words_[group][slot / 64] |= std::uint64_t{1} << (slot % 64);
  }
  /// Whether the entry of a slot may have changed since the last image.
  bool is_marked(std::uint32_t group, std::size_t slot) const noexcept {
    return all_[group] || ((words_[group][slot / 64] >> (slot % 64)) & 1) != 0;
  }
  void unmark(std::uint32_t group, std::size_t slot) noexcept {
    if (!all_[group]) words_[group][slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  }
  /// Its entries may move.
  void mark_group(std::uint32_t group) noexcept { all_.set(group); }
  /// Nothing is known any more.
  void lose() noexcept {
    lost_ = true;
    for (Bytes& keys : erased_) free(keys);
    erased_bytes_ = 0;
  }
  /// `most_bytes`: what all that were erased may take.
  void erased(std::uint32_t group, const K& key, std::size_t most_bytes) noexcept {
    if (lost_) return;
    try {
      key_.clear();
      store_key_(key_, key);
      length_.clear();
      put_varint(length_, key_.size());
      Bytes& keys = erased_[group];
      keys.insert(keys.end(), length_.begin(), length_.end());
      keys.insert(keys.end(), key_.begin(), key_.end());
      erased_bytes_ += length_.size() + key_.size();
    } catch (...) {
      return lose();
    }
    if (erased_bytes_ > most_bytes + kErasedMin) lose();
  }

  /// An image begins, of tables whose groups have slots_of(group) slots: what has changed from now
  /// on is the next one's. Blocks of slots are taken as they are read.
  template <class SlotsOf>
  ImageExtent<kGroups> begin(const ImageChain& chain, SlotsOf&& slots_of) {
    ImageExtent<kGroups> extent;
    extent.only_changes = chain.base != 0 && chain.base == imaged_ && !lost_;
    extent.all = all_;
    extent.erased.resize(kGroups);
    for (std::uint32_t group = 0; group < kGroups; ++group) {
      if (extent.only_changes)
        extent.erased[group].assign(erased_[group].begin(), erased_[group].end());
      free(erased_[group]);
      if (all_[group]) begin_group(group, (slots_of(group) + 63) / 64);
    }
    erased_bytes_ = 0;
    imaged_ = chain.epoch;
    lost_ = false;
    return extent;
  }
  /// The marks of a block of 64 slots, which are gone then.
  std::uint64_t take(std::uint32_t group, std::uint64_t block) noexcept {
    return all_[group] ? 0 : std::exchange(words_[group][block], 0);
  }

 private:
  using Words = CountedVector<std::uint64_t>;
  using Bytes = CountedVector<char>;
  /// Small tables need not be written whole because of some keys.
  static constexpr std::size_t kErasedMin = 64u << 10;

  template <class T>
  static void free(CountedVector<T>& all) noexcept {
    CountedVector<T>(all.get_allocator()).swap(all);
  }
  void begin_group(std::uint32_t group, std::size_t words) {
    try {
      words_[group].assign(words, 0);
      all_.reset(group);
    } catch (...) {
      free(words_[group]);  // it stays a group of which all may have changed
    }
  }

  StoreKey store_key_;
  std::array<Words, kGroups> words_;
  std::array<Bytes, kGroups> erased_;
  std::bitset<kGroups> all_ = std::bitset<kGroups>().set();
  std::size_t erased_bytes_ = 0;
  std::uint64_t imaged_ = 0;  ///< the epoch of the last image
  bool lost_ = false;
  std::string key_;     ///< while one is put in
  std::string length_;  ///< the same
};

}  // namespace millrace::detail
