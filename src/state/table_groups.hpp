// TableGroups: what keyed tables are made of, with their memory.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "base/check.hpp"
#include "state/attended_tables.hpp"
#include "state/key_texts.hpp"

namespace millrace::detail {

/// What KeyedTables are made of: putting in, removing and growing, of which it tells who watches.
/// One thread.
template <class K, class V>
class TableGroups : public AttendedTables<K, V> {
  using Base = AttendedTables<K, V>;

 public:
  using typename Base::Traits;

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return memory_.bytes() + texts_.bytes(); }

  /// Takes at once what a group that grows to so many entries would end with. Where the meter has
  /// none for it, the group grows as ever.
  void reserve(std::uint32_t group, std::size_t entries) {
    const std::size_t slots = Group::slots_for(entries);
    if (slots <= groups_[group].count()) return;
    if (this->attended_) this->tell_group(group);
    try {
      groups_[group].resize(slots, memory_);
    } catch (const MemoryRefused&) {
      // A few entries in the part may have been smaller than the rest.
    }
  }

  /// The entries of the groups [first, end) of `from` are of these tables now, which have none
  /// there: tables change hands, no entry is touched. O(groups). References into them stay valid.
  /// Throws MemoryRefused: what had not come is in `from` still.
  void take_groups(TableGroups& from, std::uint32_t first, std::uint32_t end) {
    tell_all();
    from.tell_all();
    std::size_t keys = 0;
    for (std::uint32_t at = first; at < end; ++at) keys += from.groups_[at].size;
    // Before the keys: they view them.
    if (keys > 0) texts_.share(from.texts_, keys, from.size_);
    for (std::uint32_t at = first; at < end; ++at) take_group(from, at);
  }

 protected:
  using Base::attended_;
  using Base::changes_;
  using Base::groups_;
  using Base::mark;
  using Base::number_of;
  using Base::tell_all;
  using Base::tell_group;
  using Base::tell_removal;
  using Base::watch_;
  using typename Base::Group;
  using typename Base::Slot;
  using StoredK = typename Traits::Stored;

  explicit TableGroups(MemoryMeter* meter) : Base(meter), memory_(meter), texts_(meter) {}
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
    if (changes_) mark(group, slot);
    return slot.value();
  }
  void remove(Group& group, Slot& slot) {
    if (attended_) tell_removal(group, slot, bytes());
    drop(group, slot);
  }
  /// It is not erased: it lies elsewhere. Who watches knows.
  void move_out_slot(Group& group, Slot& slot) {
    if (changes_) this->note_move(group, slot);
    drop(group, slot);
  }
  void drop(Group& group, Slot& slot) {
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

  std::size_t size_ = 0;
  SlotMemory memory_;
  KeyTexts texts_;

 private:
  void take_group(TableGroups& from, std::uint32_t number) {
    Group& theirs = from.groups_[number];
    Group& own = groups_[number];
    if (theirs.size == 0) return;
    MR_CHECK(own.size == 0, "a key group has entries in two tasks");
    memory_.take_over(theirs.slots, theirs.bytes(), from.memory_);
    memory_.give_back(own.slots, own.bytes());
    own = std::exchange(theirs, Group{});
    size_ += own.size;
    from.size_ -= own.size;
  }
  void grow(Group& group) {
    if (attended_) tell_group(number_of(group));
    group.resize(group.slots ? group.count() * 2 : Group::kSlotsMin, memory_);
  }
  /// While somebody watches, a table stays as large as it is: its entries need not be told.
  [[gnu::noinline]] void give_back(Group& group) noexcept {
    try {
      if (group.loose() && !watch_) {
        if (attended_) tell_group(number_of(group));
        group.resize(group.count() / 2, memory_);
      }
      if (texts_.wasteful(memory_.bytes())) texts_.renew([this](Arena& to) { store_keys(to); });
    } catch (...) {
      // Both need memory before they give some back: where there is none, all stays as it is.
    }
  }
  void store_keys(Arena& to) {
    for (Group& group : groups_) {
      group.each([&to](Slot& slot) {
        // Made beside it first: a short text views the very bytes that the new one would begin
        // with.
        const StoredK stored = Traits::store(Traits::view(slot.key()), to);
        new (slot.key_bytes) StoredK(stored);
      });
    }
  }
};

}  // namespace millrace::detail
