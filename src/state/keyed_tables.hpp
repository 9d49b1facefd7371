// KeyedTables: a task's keyed values as an array of small open-addressing tables, one a key group.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "state/group_table.hpp"
#include "state/key_texts.hpp"

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

/// Values by key. Each group's table grows alone, so no insert waits for a big move; a table is at
/// most a quarter full while all of them fit the L2 cache and half full beyond (linear probing;
/// measured in architecture.md).
///
/// One thread. References stay valid until the next insert or erase. `K` is a key view, `hash`
/// always what its KeyTraits say. Throws MemoryRefused, unchanged, where its meter does not let it
/// grow.
template <class K, class V>
class KeyedTables {
 public:
  using Traits = KeyTraits<K>;

  /// `meter` counts its memory and outlives it; null: nobody does.
  explicit KeyedTables(MemoryMeter* meter = nullptr) : memory_(meter), texts_(meter) {}
  KeyedTables(const KeyedTables&) = delete;
  KeyedTables& operator=(const KeyedTables&) = delete;
  ~KeyedTables() {
    for (Group& group : groups_) group.clear();
    for (Group& group : groups_) memory_.give_back(group.slots, group.bytes());
  }

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return memory_.bytes() + texts_.bytes(); }
  /// True when the tables are larger than the caches near the core: then batches should prefetch.
  bool is_wide() const { return memory_.bytes() > kWideBytes; }

  /// Brings near what prefetch() of the same hash reads.
  void prefetch_group(std::uint64_t hash) const { __builtin_prefetch(&groups_[key_group(hash)]); }
  /// Brings the slot of `hash` near; for batches that hash first and update then.
  void prefetch(std::uint64_t hash) const { groups_[key_group(hash)].prefetch(hash); }

  /// The value of `key`, created from `init()` when new. O(1). Inlined by force: as a call it costs
  /// a loop over a batch a tenth of its speed.
  template <class Init>
  [[gnu::always_inline]] V& upsert(const K& key, std::uint64_t hash, Init&& init) {
    Group& group = groups_[key_group(hash)];
    if (Slot* slot = group.find(key, hash)) [[likely]]
      return slot->value();
    return insert(group, key, hash, init());
  }

  /// The value of `key`, or null. O(1).
  V* find(const K& key, std::uint64_t hash) {
    Slot* const slot = groups_[key_group(hash)].find(key, hash);
    return slot ? &slot->value() : nullptr;
  }

  /// Puts in `key`, which is not there. O(1).
  void add(const K& key, std::uint64_t hash, V&& value) {
    insert(groups_[key_group(hash)], key, hash, std::move(value));
  }

  /// Forgets `key`; false when it is not there. O(1). `key` may be the table's own view of it.
  /// Memory: a table far too large for its entries halves; the long texts of forgotten keys are
  /// given back when they are more than those of the living. Where the meter has none for the move,
  /// nothing is given back yet.
  bool erase(const K& key, std::uint64_t hash) noexcept {
    Group& group = groups_[key_group(hash)];
    Slot* slot = group.find(key, hash);
    if (slot == nullptr) return false;
    remove(group, *slot);
    return true;
  }

  /// Calls is_over(K key, V& value) for the entry of `hash`, and for others of the very same hash
  /// if there are any; erases those for which it holds. O(1). May ask twice for one entry.
  template <class IsOver>
  void erase_of_hash(std::uint64_t hash, IsOver&& is_over) {
    Group& group = groups_[key_group(hash)];
    if (!group.slots) return;
    const std::uint32_t tag = Group::tag_of(hash);
    std::size_t at = hash & group.mask;
    while (group.slots[at].tag != 0) {
      Slot& slot = group.slots[at];
      const K key = Traits::view(slot.key());
      const bool over = slot.tag == tag && Traits::hash(key) == hash && is_over(key, slot.value());
      if (over) remove(group, slot);  // moves others up and may move the table
      at = (over ? hash : at + 1) & group.mask;
    }
  }

  /// Calls visit(K key, V& value) for every entry whose key has that hash, hardly ever more than
  /// one. O(1).
  template <class Visit>
  void for_each_of(std::uint64_t hash, Visit&& visit) {
    groups_[key_group(hash)].each_in_run(hash, [&](Slot& slot) {
      const K key = Traits::view(slot.key());
      if (Traits::hash(key) == hash) visit(key, slot.value());
    });
  }

  /// Calls visit(K key, V& value) for every entry, group by group; of groups [from, to) alone.
  template <class Visit>
  void for_each(Visit&& visit, std::uint32_t from = 0, std::uint32_t to = kKeyGroups) {
    for (; from < to; ++from) {
      groups_[from].each([&](Slot& slot) { visit(Traits::view(slot.key()), slot.value()); });
    }
  }

  /// Forgets all entries and keeps the tables' memory for the next pane.
  void clear() {
    for (Group& group : groups_) group.clear();
    size_ = 0;
    texts_.clear();
  }

 private:
  template <class, class>
  friend class TableSweep;
  static constexpr std::size_t kWideBytes = 1u << 20;
  /// All groups together fit half an L2 of 2 MiB while one group's table is at most this large.
  static constexpr std::size_t kSparseBytes = (2u << 20) / kKeyGroups;

  using Group = GroupTable<K, V, kSparseBytes>;
  using Slot = typename Group::Slot;
  using StoredK = typename Traits::Stored;

  /// By value, so that upsert can hold them in registers.
  static constexpr bool kSmallKey = std::is_trivially_copyable_v<K> && sizeof(K) <= 16;
  using KeyArgument = std::conditional_t<kSmallKey, const K, const K&>;
  template <class Value>
  [[gnu::noinline]] V& insert(Group& group, KeyArgument key, std::uint64_t hash, Value&& value) {
    if (group.full()) group.resize(group.slots ? group.count() * 2 : Group::kSlotsMin, memory_);
    Slot& slot = group.vacant(hash);
    new (slot.key_bytes) StoredK(Traits::store(key, texts_.arena()));
    new (slot.value_bytes) V(std::forward<Value>(value));
    slot.tag = Group::tag_of(hash);
    ++group.size;
    ++size_;
    return slot.value();
  }

  void remove(Group& group, Slot& slot) noexcept {
    texts_.forget(Traits::arena_bytes(slot.key()));
    group.remove(slot);
    --size_;
    if (group.loose() || texts_.wasteful(memory_.bytes())) give_back(group);
  }
  [[gnu::noinline]] void give_back(Group& group) noexcept {
    try {
      if (group.loose()) group.resize(group.count() / 2, memory_);
      if (texts_.wasteful(memory_.bytes())) texts_.renew([this](Arena& to) { store_keys(to); });
    } catch (...) {
      // Both need memory before they give some back: where there is none, all stays as it is.
    }
  }
  void store_keys(Arena& to) {
    for (Group& group : groups_) {
      group.each([&to](Slot& slot) {
        new (slot.key_bytes) StoredK(Traits::store(Traits::view(slot.key()), to));
      });
    }
  }

  std::array<Group, kKeyGroups> groups_{};
  std::size_t size_ = 0;
  SlotMemory memory_;
  KeyTexts texts_;
};

}  // namespace millrace::detail
