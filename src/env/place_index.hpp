// PlaceIndex: where the value of a key stands, for more keys than memory has room for.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "env/scratch_pages.hpp"

namespace millrace::detail {

/// Numbers by keys of 64 bits, in ScratchPages: 16 bytes a slot, of which three eighths to three
/// quarters are in use. Extendible hashing (Fagin and others 1979): small tables with linear
/// probing, and one that is full gives half of its keys to a new one, so that nothing else moves.
/// Keys that begin with the same seven bits have tables of their own, so that a range of keys is
/// some of them. In memory: some 24 bytes for each table, of 16 KB. One thread.
class PlaceIndex {
 public:
  struct Entry {
    std::uint64_t key;
    std::uint64_t place;  ///< 0: the slot is empty
  };

  explicit PlaceIndex(std::string folder) : folder_(std::move(folder)) {}

  /// Brings near what find() of that key reads.
  void prefetch(std::uint64_t key) const {
    const std::uint64_t mixed = mix(key);
    if (const Table* table = table_of(key, mixed))
      __builtin_prefetch(&table->slots[home_of(mixed)]);
  }
  /// 0: there is none. O(1).
  std::uint64_t find(std::uint64_t key) const {
    const std::uint64_t mixed = mix(key);
    const Table* const table = table_of(key, mixed);
    return table == nullptr ? 0 : table->slots[table->slot_of(key, mixed)].place;
  }
  /// Makes room for one more, with that key. Errors: 4002, unchanged. O(1), and now and then a move
  /// of half a table.
  Status reserve(std::uint64_t key);
  /// Behind reserve(). `place` is none of 0. Returns what it was before; 0: there was none. O(1).
  std::uint64_t put(std::uint64_t key, std::uint64_t place);
  /// Returns what it was; 0: there was none. O(1).
  std::uint64_t erase(std::uint64_t key);
  /// Calls visit(const Entry&) for those of [first, last], in no order.
  template <class Visit>
  void each(std::uint64_t first, std::uint64_t last, Visit&& visit) const {
    for (std::uint64_t at = group_of(first); at <= group_of(last); ++at) {
      const Table* before = nullptr;
      for (const Table* const table : groups_[at].tables) {
        if (table == std::exchange(before, table)) continue;  // those of one table stand together
        for (std::size_t slot = 0; slot < kSlots; ++slot) {
          const Entry& entry = table->slots[slot];
          if (entry.place != 0 && entry.key >= first && entry.key <= last) visit(entry);
        }
      }
    }
  }
  /// Of files. O(1).
  std::uint64_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kGroups = 128;
  static constexpr std::size_t kSlots = 1024;
  static constexpr std::size_t kUsedMost = kSlots * 3 / 4;

  struct Table {
    /// That of the key, or the empty one where it would be.
    std::size_t slot_of(std::uint64_t key, std::uint64_t mixed) const {
      std::size_t at = home_of(mixed);
      while (slots[at].place != 0 && slots[at].key != key) at = (at + 1) % kSlots;
      return at;
    }
    void add(const Entry& entry) {
      slots[slot_of(entry.key, mix(entry.key))] = entry;
      ++size;
    }

    Entry* slots = nullptr;
    std::uint32_t size = 0;
    std::uint32_t depth = 0;  ///< so many first bits of their mixed keys are the same
  };
  /// The table of a key is that at the first `depth` bits of its mixed key.
  struct Group {
    std::vector<Table*> tables;  ///< 2 ^ depth, or none
    std::uint32_t depth = 0;
  };

  /// Multiplicative hashing (Knuth 6.4): no two keys come to the same.
  static std::uint64_t mix(std::uint64_t key) { return key * 0x9e3779b97f4a7c15ull; }
  static std::size_t group_of(std::uint64_t key) { return key >> 57; }
  static std::size_t home_of(std::uint64_t mixed) { return mixed >> 24 & (kSlots - 1); }
  static std::size_t first_bits(std::uint64_t mixed, std::uint32_t count) {
    return static_cast<std::size_t>(mixed >> 1 >> (63 - count));
  }
  Table* table_of(std::uint64_t key, std::uint64_t mixed) const {
    const Group& group = groups_[group_of(key)];
    return group.tables.empty() ? nullptr : group.tables[first_bits(mixed, group.depth)];
  }
  Result<Table*> make_table();
  Status split(Group& group, Table& table, std::uint64_t mixed);

  std::string folder_;
  std::array<Group, kGroups> groups_;
  std::deque<Table> tables_;
  std::vector<ScratchPages> chunks_;  ///< of which tables are cut
  std::size_t cut_bytes_ = 0;         ///< of the last one
  std::uint64_t bytes_ = 0;
};

}  // namespace millrace::detail
