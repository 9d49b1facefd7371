// TableGroups: the small open-addressing tables of a task's keyed values, one a key group, with
// their memory and whoever watches them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "state/group_table.hpp"
#include "state/key_texts.hpp"
#include "state/table_watch.hpp"

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

/// What KeyedTables are made of: putting in, removing and growing, of which it tells who watches.
/// One thread.
template <class K, class V>
class TableGroups {
 public:
  using Traits = KeyTraits<K>;

  TableGroups(const TableGroups&) = delete;
  TableGroups& operator=(const TableGroups&) = delete;

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return memory_.bytes() + texts_.bytes(); }

  /// `watch` is told of each change until unwatch(), and outlives that. Who watched before is told
  /// that all may change.
  void watch(TableWatch& watch) {
    tell_all();
    watch_ = &watch;
  }
  void unwatch() { watch_ = nullptr; }
  /// The slots of a group that has entries, else 0.
  std::size_t slots_in(std::uint32_t group) const {
    return groups_[group].size == 0 ? 0 : groups_[group].count();
  }
  /// Calls visit(K key, V& value) for the entries in the slots [from, to) of a group, which it
  /// reads: who watches is not told.
  template <class Visit>
  void for_each_slot(std::uint32_t group, std::size_t from, std::size_t to, Visit&& visit) {
    for (to = std::min(to, groups_[group].count()); from < to; ++from) {
      Slot& slot = groups_[group].slots[from];
      if (slot.tag != 0) visit(Traits::view(slot.key()), slot.value());
    }
  }

  /// Takes at once what a group that grows to so many entries would end with. Where the meter has
  /// none for it, the group grows as ever.
  void reserve(std::uint32_t group, std::size_t entries) {
    const std::size_t slots = Group::slots_for(entries);
    if (slots <= groups_[group].count()) return;
    if (watch_) watch_->before_group(group);
    try {
      groups_[group].resize(slots, memory_);
    } catch (const MemoryRefused&) {
      // A few entries in the part may have been smaller than the rest.
    }
  }

 protected:
  /// All groups together fit half an L2 of 2 MiB while one group's table is at most this large.
  static constexpr std::size_t kSparseBytes = (2u << 20) / kKeyGroups;

  using Group = GroupTable<K, V, kSparseBytes>;
  using Slot = typename Group::Slot;
  using StoredK = typename Traits::Stored;

  explicit TableGroups(MemoryMeter* meter) : memory_(meter), texts_(meter) {}
  ~TableGroups() {
    tell_all();
    for (Group& group : groups_) group.clear();
    for (Group& group : groups_) memory_.give_back(group.slots, group.bytes());
  }

  /// By value, so that upsert can hold them in registers.
  static constexpr bool kSmallKey = std::is_trivially_copyable_v<K> && sizeof(K) <= 16;
  using KeyArgument = std::conditional_t<kSmallKey, const K, const K&>;
  template <class Value>
  [[gnu::noinline]] V& insert(Group& group, KeyArgument key, std::uint64_t hash, Value&& value) {
    if (group.full()) grow(group);
    Slot& slot = group.vacant(hash);
    new (slot.key_bytes) StoredK(Traits::store(key, texts_.arena()));
    new (slot.value_bytes) V(std::forward<Value>(value));
    slot.tag = Group::tag_of(hash);
    ++group.size;
    ++size_;
    return slot.value();
  }
  void remove(Group& group, Slot& slot) {
    if (watch_) tell_run(group, static_cast<std::size_t>(&slot - group.slots));
    texts_.forget(Traits::arena_bytes(slot.key()));
    group.remove(slot);
    --size_;
    if (group.loose() || texts_.wasteful(memory_.bytes())) give_back(group);
  }
  void clear_groups() {
    tell_all();
    for (Group& group : groups_) group.clear();
    size_ = 0;
    texts_.clear();
  }

  /// The entry of `hash`, which may not be there yet, may change or be removed.
  [[gnu::noinline]] void tell(std::uint64_t hash) {
    Group& group = groups_[key_group(hash)];
    if (group.slots) tell_run(group, hash & group.mask);
  }
  /// What is put in goes to the end of a run of slots in use, and what is removed moves up what
  /// follows in its run: no further.
  void tell_run(Group& group, std::size_t from) {
    std::size_t to = from;
    while (group.slots[to].tag != 0) to = (to + 1) & group.mask;
    watch_->before_slots(number_of(group), from, to);
  }
  void tell_all() {
    if (watch_) watch_->before_all();
  }

  TableWatch* watch_ = nullptr;
  std::array<Group, kKeyGroups> groups_{};
  std::size_t size_ = 0;
  SlotMemory memory_;
  KeyTexts texts_;

 private:
  std::uint32_t number_of(const Group& group) const {
    return static_cast<std::uint32_t>(&group - groups_.data());
  }
  void grow(Group& group) {
    if (watch_) watch_->before_group(number_of(group));
    group.resize(group.slots ? group.count() * 2 : Group::kSlotsMin, memory_);
  }
  /// While somebody watches, a table stays as large as it is: its entries need not be told.
  [[gnu::noinline]] void give_back(Group& group) noexcept {
    try {
      if (group.loose() && !watch_) group.resize(group.count() / 2, memory_);
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
};

}  // namespace millrace::detail
