// KeyedTables: a task's keyed values as an array of small open-addressing tables, one a key group.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "state/table_groups.hpp"

namespace millrace::detail {

/// Values by key. Each group's table grows alone, so no insert waits for a big move; a table is at
/// most a quarter full while all of them fit the L2 cache and half full beyond (linear probing;
/// measured in architecture.md).
///
/// One thread. References stay valid until the next insert or erase. `K` is a key view, `hash`
/// always what its KeyTraits say. Throws MemoryRefused, unchanged, where its meter does not let it
/// grow.
template <class K, class V>
class KeyedTables : public TableGroups<K, V> {
  using Base = TableGroups<K, V>;
  using Base::attended_;
  using Base::changes_;
  using Base::find_to_change;
  using Base::groups_;
  using Base::insert;
  using Base::mark;
  using Base::memory_;
  using Base::remove;
  using Base::tell;
  using typename Base::Group;
  using typename Base::KeyArgument;
  using typename Base::Slot;

 public:
  using typename Base::Traits;

  /// `meter` counts its memory and outlives it; null: nobody does.
  explicit KeyedTables(MemoryMeter* meter = nullptr) : Base(meter) {}

  /// True when the tables are larger than the caches near the core: then batches should prefetch.
  bool is_wide() const { return memory_.bytes() > kWideBytes; }

  /// Brings near what prefetch() of the same hash reads.
  void prefetch_group(std::uint64_t hash) const { __builtin_prefetch(&groups_[key_group(hash)]); }
  /// Brings the slot of `hash` near; for batches that hash first and update then.
  void prefetch(std::uint64_t hash) const { groups_[key_group(hash)].prefetch(hash); }

  /// Probably the value of the key of `hash`, or null: what prefetch() brought near, to tell what
  /// is read next. O(1).
  const V* peek(std::uint64_t hash) const { return groups_[key_group(hash)].peek(hash); }

  /// The value of `key`, created from `init()` when new. O(1). Inlined by force: as a call it costs
  /// a loop over a batch a tenth of its speed.
  template <class Init>
  [[gnu::always_inline]] V& upsert(const K& key, std::uint64_t hash, Init&& init) {
    Group& group = groups_[key_group(hash)];
    if (attended_) [[unlikely]]
      return upsert_attended(group, key, hash, init);
    if (Slot* slot = group.find(key, hash)) [[likely]]
      return slot->value();
    return insert(group, key, hash, init());
  }

  /// The value of `key`, or null. O(1).
  V* find(const K& key, std::uint64_t hash) {
    Group& group = groups_[key_group(hash)];
    Slot* const slot = attended_ ? find_to_change(group, key, hash) : group.find(key, hash);
    return slot ? &slot->value() : nullptr;
  }

  /// The same for who only reads it: it does not count as changed. O(1).
  const V* look_up(const K& key, std::uint64_t hash) const {
    Slot* const slot = groups_[key_group(hash)].find(key, hash);
    return slot ? &slot->value() : nullptr;
  }

  /// Puts in `key`, which is not there. O(1).
  void add(const K& key, std::uint64_t hash, V&& value) {
    if (attended_) tell(hash);
    insert(groups_[key_group(hash)], key, hash, std::move(value));
  }

  /// Forgets `key`; false when it is not there. O(1). `key` may be the table's own view of it.
  /// Memory: a table far too large for its entries halves; the long texts of forgotten keys are
  /// given back when they are more than those of the living. Where the meter has none for the move,
  /// nothing is given back yet.
  bool erase(const K& key, std::uint64_t hash) {
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
    if (attended_) tell(hash);
    Group& group = groups_[key_group(hash)];
    if (!group.slots) return;
    const std::uint32_t tag = Group::tag_of(hash);
    std::size_t at = hash & group.mask;
    while (group.slots[at].tag != 0) {
      Slot& slot = group.slots[at];
      if (changes_ && slot.tag == tag) mark(group, slot);
      const K key = Traits::view(slot.key());
      const bool over = slot.tag == tag && Traits::hash(key) == hash && is_over(key, slot.value());
      if (over) remove(group, slot);  // moves others up and may move the table
      at = (over ? hash : at + 1) & group.mask;
    }
  }

  /// Whether a key of that hash is there. O(1).
  bool holds(std::uint64_t hash) const {
    const Group& group = groups_[key_group(hash)];
    if (!group.slots) return false;
    const std::uint32_t tag = Group::tag_of(hash);
    for (std::size_t at = hash & group.mask; group.slots[at].tag != 0; at = (at + 1) & group.mask) {
      Slot& slot = group.slots[at];
      if (slot.tag == tag && Traits::hash(Traits::view(slot.key())) == hash) return true;
    }
    return false;
  }

  /// Calls visit(K key, V& value) for every entry whose key has that hash, hardly ever more than
  /// one. O(1).
  template <class Visit>
  void for_each_of(std::uint64_t hash, Visit&& visit) {
    if (attended_) tell(hash);
    Group& group = groups_[key_group(hash)];
    group.each_in_run(hash, [&](Slot& slot) {
      if (changes_) mark(group, slot);
      const K key = Traits::view(slot.key());
      if (Traits::hash(key) == hash) visit(key, slot.value());
    });
  }

  /// Calls visit(K key, V& value) for every entry, group by group; of groups [from, to) alone.
  template <class Visit>
  void for_each(Visit&& visit, std::uint32_t from = 0, std::uint32_t to = kKeyGroups) {
    constexpr bool kReads = std::is_invocable_v<Visit&, const K&, const V&>;
    for (; from < to; ++from) {
      if (attended_ && !kReads) this->tell_group(from);
      groups_[from].each([&](Slot& slot) { visit(Traits::view(slot.key()), slot.value()); });
    }
  }
  /// Forgets all entries and keeps the tables' memory for the next pane.
  void clear() { Base::clear_groups(); }

 private:
  template <class, class>
  friend class TableSweep;
  /// A call of its own, so that upsert stays what it is where nobody attends.
  template <class Init>
  [[gnu::noinline]] V& upsert_attended(Group& group, KeyArgument key, std::uint64_t hash,
                                       Init& init) {
    if (Slot* slot = find_to_change(group, key, hash)) return slot->value();
    return insert(group, key, hash, init());
  }

  static constexpr std::size_t kWideBytes = 1u << 20;
};

}  // namespace millrace::detail
