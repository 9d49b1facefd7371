// AttendedTables: the small open-addressing tables of a task's keyed values, one a key group, and
// who is told of their changes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "state/group_table.hpp"
#include "state/table_changes.hpp"
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

/// Somebody may watch what is about to change, and since an image that others are to come over it
/// is noted what has changed. One thread.
template <class K, class V>
class AttendedTables {
 public:
  using Traits = KeyTraits<K>;
  using Changes = TableChanges<K, kKeyGroups>;

  AttendedTables(const AttendedTables&) = delete;
  AttendedTables& operator=(const AttendedTables&) = delete;

  /// `watch` is told of each change until unwatch(), and outlives that. Who watched before is told
  /// that all may change.
  void watch(TableWatch& watch) {
    if (watch_) watch_->before_all();
    watch_ = &watch;
    attended_ = true;
  }
  void unwatch() {
    watch_ = nullptr;
    attended_ = changes_ != nullptr;
  }
  /// An image of `chain.epoch` begins: what it has to hold. From then on changes are noted; that
  /// costs each look-up some nanoseconds, and nothing before.
  ImageExtent<kKeyGroups> begin_image(const ImageChain& chain,
                                      typename Changes::StoreKey store_key) {
    if (!changes_) changes_ = std::make_unique<Changes>(store_key, meter_);
    attended_ = true;
    return changes_->begin(chain, [this](std::uint32_t group) { return groups_[group].count(); });
  }
  /// Of such an image, once for each block that it reads.
  std::uint64_t take_changes(std::uint32_t group, std::uint64_t block) {
    return changes_ ? changes_->take(group, block) : 0;
  }
  /// An image has been taken that others are to come over.
  bool notes_changes() const { return changes_ != nullptr; }
  /// There is no more to come over an image.
  void forget_changes() {
    changes_.reset();
    attended_ = watch_ != nullptr;
  }
  /// The slots of a group that has entries, else 0.
  std::size_t slots_in(std::uint32_t group) const {
    return groups_[group].size == 0 ? 0 : groups_[group].count();
  }
  /// Calls visit(K key, V& value) for the entries in the slots of a block of 64 of a group, of
  /// those whose bit is set in `among`, which it reads: who watches is not told.
  template <class Visit>
  void for_each_of_block(std::uint32_t group, std::uint64_t block, std::uint64_t among,
                         Visit&& visit) {
    const std::size_t count = groups_[group].count();
    for (std::size_t at = block * 64; at < count && among != 0; ++at, among >>= 1) {
      Slot& slot = groups_[group].slots[at];
      if ((among & 1) != 0 && slot.tag != 0) visit(Traits::view(slot.key()), slot.value());
    }
  }

 protected:
  /// All groups together fit half an L2 of 2 MiB while one group's table is at most this large.
  static constexpr std::size_t kSparseBytes = (2u << 20) / kKeyGroups;

  using Group = GroupTable<K, V, kSparseBytes>;
  using Slot = typename Group::Slot;

  explicit AttendedTables(MemoryMeter* meter) : meter_(meter) {}
  ~AttendedTables() = default;

  /// The entry of `hash`, which may not be there yet, may change or be removed. What is put in goes
  /// to the end of a run of slots in use.
  void tell(std::uint64_t hash) {
    Group& group = groups_[key_group(hash)];
    if (!watch_ || !group.slots) return;
    const std::size_t from = hash & group.mask;
    watch_->before_slots(key_group(hash), from, end_of_run(group, from));
  }
  /// An entry may change; it has been told.
  void mark(const Group& group, const Slot& slot) {
    changes_->mark(number_of(group), static_cast<std::size_t>(&slot - group.slots));
  }
  /// The slot of `key`, or null, for who may change it.
  Slot* find_to_change(Group& group, const K& key, std::uint64_t hash) {
    tell(hash);
    Slot* const slot = group.find(key, hash);
    if (slot && changes_) mark(group, *slot);
    return slot;
  }
  /// What is removed moves up what follows in its run: no further. `bytes`: of all tables.
  void tell_removal(Group& group, Slot& slot, std::size_t bytes) {
    const std::uint32_t number = number_of(group);
    const auto from = static_cast<std::size_t>(&slot - group.slots);
    const std::size_t to = end_of_run(group, from);
    if (watch_) watch_->before_slots(number, from, to);
    if (!changes_) return;
    for (std::size_t at = from; at != to; at = (at + 1) & group.mask) changes_->mark(number, at);
    changes_->erased(number, Traits::view(slot.key()), bytes);
  }
  /// The entry of a slot goes, to lie elsewhere: it is not erased. Who watches has been told of all
  /// that moves.
  void note_move(const Group& group, const Slot& slot) {
    const std::uint32_t number = number_of(group);
    const auto from = static_cast<std::size_t>(&slot - group.slots);
    bool any = false;
    for (std::size_t at = (from + 1) & group.mask; group.slots[at].tag != 0 && !any;
         at = (at + 1) & group.mask)
      any = changes_->is_marked(number, at);
    changes_->unmark(number, from);
    for (std::size_t at = from; any && group.slots[at].tag != 0; at = (at + 1) & group.mask)
      changes_->mark(number, at);
  }
  bool is_marked(const Group& group, const Slot& slot) const {
    return !changes_ ||
           changes_->is_marked(number_of(group), static_cast<std::size_t>(&slot - group.slots));
  }
  /// The entry of one slot may change.
  void tell_slot(std::uint32_t group, std::size_t slot) {
    if (watch_) watch_->before_slots(group, slot, slot);
    if (changes_) changes_->mark(group, slot);
  }
  /// Entries of a group may change or move.
  void tell_group(std::uint32_t group) {
    if (watch_) watch_->before_group(group);
    if (changes_) changes_->mark_group(group);
  }
  void tell_all() {
    if (watch_) watch_->before_all();
    if (changes_) changes_->lose();
  }

  std::uint32_t number_of(const Group& group) const {
    return static_cast<std::uint32_t>(&group - groups_.data());
  }

  TableWatch* watch_ = nullptr;
  bool attended_ = false;             ///< somebody watches, or changes are noted
  std::unique_ptr<Changes> changes_;  ///< null: no image asked for them
  std::array<Group, kKeyGroups> groups_{};

 private:
  static std::size_t end_of_run(const Group& group, std::size_t at) {
    while (group.slots[at].tag != 0) at = (at + 1) & group.mask;
    return at;
  }

  MemoryMeter* meter_;
};

}  // namespace millrace::detail
