// TableSweep: walks over keyed tables little by little, to erase what is over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "state/keyed_tables.hpp"

namespace millrace::detail {

/// What a look at an entry came to.
enum class Swept : std::uint8_t { as_it_was, changed, gone };

/// Goes round and round, so that every entry is looked at. One thread. Beside that, what who makes
/// room in tables has to know of the table of a key group.
template <class K, class V>
class TableSweep {
 public:
  /// Calls look(K, V&) -> Swept for the entries in the next `slots` slots, and erases those that
  /// are gone; ahead(const V&) is called for most of them a few slots before. O(slots).
  template <class Look, class Ahead>
  void step(KeyedTables<K, V>& tables, std::size_t slots, Look&& look, Ahead&& ahead) {
    for (; slots > 0 && tables.size_ > 0; --slots) {
      auto& group = tables.groups_[group_];
      if (at_ >= group.count()) {
        group_ = (group_ + 1) % kKeyGroups;
        at_ = 0;
        continue;
      }
      if (at_ + kAhead < group.count()) {
        auto& soon = group.slots[at_ + kAhead];
        __builtin_prefetch(&soon + kAhead);
        if (soon.tag != 0) ahead(std::as_const(soon.value()));
      }
      auto& slot = group.slots[at_];
      if (slot.tag == 0) {
        ++at_;
        continue;
      }
      if (tables.watch_) tables.watch_->before_slots(group_, at_, at_);
      const Swept swept = look(KeyTraits<K>::view(slot.key()), slot.value());
      if (swept == Swept::gone) {
        tables.remove(group, slot);  // another entry may have moved up to here
        continue;
      }
      if (swept == Swept::changed && tables.attended_) tables.tell_slot(group_, at_);
      ++at_;
    }
  }

  template <class Look>
  void step(KeyedTables<K, V>& tables, std::size_t slots, Look&& look) {
    step(tables, slots, look, [](const V&) {});
  }

  /// Calls visit(K key, V& value, bool changed) for every entry whose key has that hash, which is
  /// no more there then; yet it does not count as erased: it lies elsewhere, and may be put in
  /// again. `changed`: it may have since the last image. O(1).
  template <class Visit>
  static void move_out(KeyedTables<K, V>& tables, std::uint64_t hash, Visit&& visit) {
    using Traits = KeyTraits<K>;
    auto& group = tables.groups_[key_group(hash)];
    if (!group.slots) return;
    if (tables.attended_) tables.tell(hash);
    const std::uint32_t tag = group.tag_of(hash);
    std::size_t at = hash & group.mask;
    while (group.slots[at].tag != 0) {
      auto& slot = group.slots[at];
      const K key = Traits::view(slot.key());
      const bool goes = slot.tag == tag && Traits::hash(key) == hash;
      if (goes) {
        visit(key, slot.value(), tables.is_marked(group, slot));
        tables.move_out_slot(group, slot);  // moves others up and may move the table
      }
      at = (goes ? hash : at + 1) & group.mask;
    }
  }
  /// Calls visit(V& value) for every entry. Who watches is not told: nothing of it changes that
  /// images hold.
  template <class Visit>
  static void for_each_untold(KeyedTables<K, V>& tables, Visit&& visit) {
    for (auto& group : tables.groups_) group.each([&](auto& slot) { visit(slot.value()); });
  }
  /// Of all groups.
  static std::size_t slots(const KeyedTables<K, V>& tables) {
    std::size_t slots = 0;
    for (const auto& group : tables.groups_) slots += group.count();
    return slots;
  }
  static std::size_t slots_of(const KeyedTables<K, V>& tables, std::uint32_t group) {
    return tables.groups_[group].count();
  }
  static std::size_t entries_of(const KeyedTables<K, V>& tables, std::uint32_t group) {
    return tables.groups_[group].size;
  }
  /// The most entries that fit without growing.
  static std::size_t fit_in(const KeyedTables<K, V>& tables, std::uint32_t group) {
    return tables.groups_[group].grow_at;
  }
  /// The key in a slot, null when it is empty. Valid until the next insert or erase.
  static std::optional<K> key_at(KeyedTables<K, V>& tables, std::uint32_t group, std::size_t at) {
    auto& slot = tables.groups_[group].slots[at];
    if (slot.tag == 0) return std::nullopt;
    return KeyTraits<K>::view(slot.key());
  }
  /// Gives half of the slots back, where at most a quarter of what is left is in use then. Throws
  /// MemoryRefused, unchanged.
  static void halve(KeyedTables<K, V>& tables, std::uint32_t group) {
    auto& table = tables.groups_[group];
    if (table.count() <= table.kSlotsMin || table.size * std::size_t{8} > table.count()) return;
    if (tables.attended_) tables.tell_group(group);
    table.resize(table.count() / 2, tables.memory_);
  }

 private:
  static constexpr std::size_t kAhead = 16;
  std::uint32_t group_ = 0;
  std::size_t at_ = 0;
};

}  // namespace millrace::detail
