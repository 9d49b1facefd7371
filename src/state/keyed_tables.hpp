// KeyedTables: a task's keyed values as an array of small open-addressing tables, one a key group.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "record/arena.hpp"
#include "state/slot_memory.hpp"
#include "state/stored_key.hpp"

namespace millrace::detail {

/// Number of key groups of a topology: the unit of image, delta, rescale and spill, and the most
/// tasks a keyed component can have.
inline constexpr std::uint32_t kKeyGroups = 128;

/// The key group of a hash: its high bits. The low bits choose the slot.
inline std::uint32_t key_group(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash >> 57);
}

/// The task that owns a hash when `tasks` (1..128) share the key groups in contiguous ranges.
inline std::uint32_t task_of_hash(std::uint64_t hash, std::uint32_t tasks) {
  return (key_group(hash) * tasks) >> 7;
}

/// A place in a table: zeroed raw memory, so that an empty table costs no
/// constructors.
template <class StoredK, class V>
struct TableSlot {
  std::uint32_t tag;  ///< 0: empty; else bits of the hash, never 0
  alignas(StoredK) unsigned char key_bytes[sizeof(StoredK)];
  alignas(V) unsigned char value_bytes[sizeof(V)];
  StoredK& key() { return *std::launder(reinterpret_cast<StoredK*>(key_bytes)); }
  V& value() { return *std::launder(reinterpret_cast<V*>(value_bytes)); }
};

/// Values by key. Each group's table grows alone, so no insert waits for a big move; a table is at
/// most a quarter full while all of them fit the L2 cache and half full beyond (linear probing;
/// measured in architecture.md).
///
/// One thread. References stay valid until the next insert. `K` is a key view (see KeyTraits).
/// Throws MemoryRefused, unchanged, where its meter does not let it grow.
template <class K, class V>
class KeyedTables {
 public:
  using Traits = KeyTraits<K>;

  /// `meter` counts its memory and outlives it; null: nobody does.
  explicit KeyedTables(MemoryMeter* meter = nullptr) : memory_(meter), arena_(64u << 10, meter) {}
  KeyedTables(const KeyedTables&) = delete;
  KeyedTables& operator=(const KeyedTables&) = delete;
  ~KeyedTables() {
    clear();
    for (Group& group : groups_) memory_.give_back(group.slots, group.bytes());
  }

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return memory_.bytes() + arena_.capacity_bytes(); }
  /// True when the tables are larger than the caches near the core: then batches should prefetch.
  bool is_wide() const { return memory_.bytes() > kWideBytes; }

  /// Brings the slot of `hash` near; for batches that hash first and update then.
  void prefetch(std::uint64_t hash) const {
    const Group& group = groups_[key_group(hash)];
    if (group.slots) __builtin_prefetch(&group.slots[hash & group.mask], 1);
  }

  /// The value of `key`, created from `init()` when new. O(1). Inlined by force: as a call it costs
  /// a loop over a batch a tenth of its speed.
  template <class Init>
  [[gnu::always_inline]] V& upsert(const K& key, std::uint64_t hash, Init&& init) {
    Group& group = groups_[key_group(hash)];
    const std::uint32_t tag = tag_of(hash);
    if (group.slots) [[likely]] {
      for (std::size_t at = hash & group.mask;; at = (at + 1) & group.mask) {
        Slot& slot = group.slots[at];
        if (slot.tag == tag && Traits::equals(slot.key(), key)) [[likely]]
          return slot.value();
        if (slot.tag == 0) break;
      }
    }
    return insert(group, key, hash, init());
  }

  /// The value of `key`, or null. O(1).
  V* find(const K& key, std::uint64_t hash) {
    Group& group = groups_[key_group(hash)];
    if (!group.slots) return nullptr;
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t at = hash & group.mask;; at = (at + 1) & group.mask) {
      Slot& slot = group.slots[at];
      if (slot.tag == tag && Traits::equals(slot.key(), key)) return &slot.value();
      if (slot.tag == 0) return nullptr;
    }
  }

  /// Calls visit(K key, V& value) for every entry, group by group.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (Group& group : groups_) {
      if (!group.slots) continue;
      for (std::size_t at = 0; at <= group.mask; ++at) {
        Slot& slot = group.slots[at];
        if (slot.tag != 0) visit(Traits::view(slot.key()), slot.value());
      }
    }
  }

  /// Forgets all entries and keeps the tables' memory for the next pane.
  void clear() {
    for (Group& group : groups_) {
      if (group.size == 0) continue;
      if constexpr (!std::is_trivially_destructible_v<V>) {
        for (std::size_t at = 0; at <= group.mask; ++at) {
          if (group.slots[at].tag != 0) group.slots[at].value().~V();
        }
      }
      std::memset(static_cast<void*>(group.slots), 0, group.bytes());
      group.size = 0;
    }
    size_ = 0;
    arena_.reset();
  }

 private:
  static constexpr std::size_t kWideBytes = 1u << 20;
  /// All groups together fit half an L2 of 2 MiB while one group's table is at most this large.
  static constexpr std::size_t kSparseBytes = (2u << 20) / kKeyGroups;

  using StoredK = typename Traits::Stored;
  static_assert(std::is_trivially_copyable_v<StoredK> || std::is_trivially_destructible_v<StoredK>,
                "a stored key is moved by copying its bytes");

  using Slot = TableSlot<StoredK, V>;
  struct Group {
    Slot* slots = nullptr;
    std::uint32_t mask = 0;
    std::uint32_t size = 0;
    std::uint32_t grow_at = 0;
    std::size_t count() const { return slots ? std::size_t{mask} + 1 : 0; }
    std::size_t bytes() const { return count() * sizeof(Slot); }
  };

  static std::uint32_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> 26) | 1;
  }

  /// Small keys by value, so that upsert can hold them in registers.
  static constexpr bool kSmallKey = std::is_trivially_copyable_v<K> && sizeof(K) <= 16;
  using KeyArgument = std::conditional_t<kSmallKey, const K, const K&>;

  template <class Value>
  [[gnu::noinline]] V& insert(Group& group, KeyArgument key, std::uint64_t hash, Value&& value) {
    if (group.size >= group.grow_at) grow(group);
    std::size_t at = hash & group.mask;
    while (group.slots[at].tag != 0) at = (at + 1) & group.mask;
    Slot& slot = group.slots[at];
    new (slot.key_bytes) StoredK(Traits::store(key, arena_));
    new (slot.value_bytes) V(std::forward<Value>(value));
    slot.tag = tag_of(hash);
    ++group.size;
    ++size_;
    return slot.value();
  }

  void grow(Group& group) {
    const std::size_t old_count = group.count();
    const std::size_t count = old_count == 0 ? 8 : old_count * 2;
    Slot* fresh = static_cast<Slot*>(memory_.take(count * sizeof(Slot)));
    const auto mask = static_cast<std::uint32_t>(count - 1);
    for (std::size_t at = 0; at < old_count; ++at) {
      Slot& slot = group.slots[at];
      if (slot.tag == 0) continue;
      std::size_t to = Traits::hash(Traits::view(slot.key())) & mask;
      while (fresh[to].tag != 0) to = (to + 1) & mask;
      fresh[to].tag = slot.tag;
      new (fresh[to].key_bytes) StoredK(slot.key());
      new (fresh[to].value_bytes) V(std::move(slot.value()));
      slot.value().~V();
    }
    memory_.give_back(group.slots, group.bytes());
    group.slots = fresh;
    group.mask = mask;
    const bool sparse = count * sizeof(Slot) <= kSparseBytes;
    group.grow_at = static_cast<std::uint32_t>(sparse ? count / 4 : count / 2);
  }

  std::array<Group, kKeyGroups> groups_{};
  std::size_t size_ = 0;
  SlotMemory memory_;
  Arena arena_;
};

}  // namespace millrace::detail
