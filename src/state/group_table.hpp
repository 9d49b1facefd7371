// GroupTable: the open-addressing table of one key group; its memory and the texts of its keys are
// its owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "state/slot_memory.hpp"
#include "state/stored_key.hpp"

namespace millrace::detail {

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

/// Linear probing. The low bits of a hash choose the slot. `kSparseBytes`: a table up to that size
/// is at most a quarter full, a larger one half.
template <class K, class V, std::size_t kSparseBytes>
struct GroupTable {
  using Traits = KeyTraits<K>;
  using StoredK = typename Traits::Stored;
  using Slot = TableSlot<StoredK, V>;
  static_assert(std::is_trivially_copyable_v<StoredK> || std::is_trivially_destructible_v<StoredK>,
                "a stored key is moved by copying its bytes");
  static constexpr std::size_t kSlotsMin = 8;

  Slot* slots = nullptr;  ///< null until the first key
  std::uint32_t mask = 0;
  std::uint32_t size = 0;
  std::uint32_t grow_at = 0;

  std::size_t count() const { return slots ? std::size_t{mask} + 1 : 0; }
  std::size_t bytes() const { return count() * sizeof(Slot); }
  bool full() const { return size >= grow_at; }
  /// Far too large for its entries: half of it would be at most a quarter of what it takes to grow.
  bool loose() const { return count() > kSlotsMin && std::size_t{size} * 16 < count(); }

  static std::uint32_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> 26) | 1;
  }

  /// The most entries of a table with so many slots.
  static std::size_t entries_in(std::size_t slots) {
    return slots * sizeof(Slot) <= kSparseBytes ? slots / 4 : slots / 2;
  }
  /// What a table that grows to so many entries ends with.
  static std::size_t slots_for(std::size_t entries) {
    std::size_t slots = kSlotsMin;
    while (entries_in(slots) < entries) slots *= 2;
    return slots;
  }

  /// Brings the slot of `hash` near, of one that is wider than a line its first two lines.
  void prefetch(std::uint64_t hash) const {
    constexpr std::size_t kLine = 64;
    if (!slots) return;
    const auto* const slot = reinterpret_cast<const char*>(&slots[hash & mask]);
    __builtin_prefetch(slot, 1);
    if constexpr (sizeof(Slot) > kLine) __builtin_prefetch(slot + kLine, 1);
  }
  /// The slot of `key`, or null.
  [[gnu::always_inline]] Slot* find(const K& key, std::uint64_t hash) const {
    if (!slots) return nullptr;
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      Slot& slot = slots[at];
      if (slot.tag == tag && Traits::equals(slot.key(), key)) [[likely]]
        return &slot;
      if (slot.tag == 0) return nullptr;
    }
  }
  /// The first value that may be of that hash, or null.
  const V* peek(std::uint64_t hash) const {
    if (!slots) return nullptr;
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t at = hash & mask; slots[at].tag != 0; at = (at + 1) & mask) {
      if (slots[at].tag == tag) return &slots[at].value();
    }
    return nullptr;
  }
  /// Calls visit(Slot&) for each slot of the run of `hash` that may be of that hash.
  template <class Visit>
  void each_in_run(std::uint64_t hash, Visit&& visit) {
    if (!slots) return;
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t at = hash & mask; slots[at].tag != 0; at = (at + 1) & mask) {
      if (slots[at].tag == tag) visit(slots[at]);
    }
  }
  /// The first empty slot of the run of `hash`; there is one unless the table is full.
  Slot& vacant(std::uint64_t hash) const {
    std::size_t at = hash & mask;
    while (slots[at].tag != 0) at = (at + 1) & mask;
    return slots[at];
  }
  /// Empties a slot in use: whatever behind it may lie no later than there moves up (backward
  /// shift: Knuth, TAOCP 3, 6.4, algorithm R), so that no marker stays behind.
  void remove(Slot& gone) noexcept {
    auto hole = static_cast<std::size_t>(&gone - slots);
    gone.value().~V();
    for (std::size_t at = (hole + 1) & mask; slots[at].tag != 0; at = (at + 1) & mask) {
      const std::size_t home = home_of(slots[at], mask);
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      move(slots[at], slots[hole]);
      hole = at;
    }
    slots[hole].tag = 0;
    --size;
  }
  /// Moves the entries into `to` slots (a power of two that leaves half free) of `memory`.
  void resize(std::size_t to, SlotMemory& memory) {
    Slot* const fresh = static_cast<Slot*>(memory.take(to * sizeof(Slot)));
    const auto fresh_mask = static_cast<std::uint32_t>(to - 1);
    for (std::size_t at = 0; at < count(); ++at) {
      if (slots[at].tag == 0) continue;
      std::size_t place = home_of(slots[at], fresh_mask);
      while (fresh[place].tag != 0) place = (place + 1) & fresh_mask;
      move(slots[at], fresh[place]);
    }
    memory.give_back(slots, bytes());
    slots = fresh;
    mask = fresh_mask;
    grow_at = static_cast<std::uint32_t>(entries_in(to));
  }
  /// Forgets the entries and keeps the memory.
  void clear() {
    if (size == 0) return;
    if constexpr (!std::is_trivially_destructible_v<V>) {
      each([](Slot& slot) { slot.value().~V(); });
    }
    std::memset(static_cast<void*>(slots), 0, bytes());
    size = 0;
  }
  /// Calls visit(Slot&) for each slot in use.
  template <class Visit>
  void each(Visit&& visit) {
    for (std::size_t at = 0; at < count(); ++at) {
      if (slots[at].tag != 0) visit(slots[at]);
    }
  }

 private:
  static std::size_t home_of(Slot& slot, std::uint32_t mask_of) {
    return Traits::hash(Traits::view(slot.key())) & mask_of;
  }
  static void move(Slot& from, Slot& to) noexcept {
    to.tag = from.tag;
    new (to.key_bytes) StoredK(from.key());
    new (to.value_bytes) V(std::move(from.value()));
    from.value().~V();
  }
};

}  // namespace millrace::detail
