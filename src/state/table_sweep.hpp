// TableSweep: walks over keyed tables little by little, to erase what is over.
#pragma once

#include <cstddef>
#include <cstdint>

#include "state/keyed_tables.hpp"

namespace millrace::detail {

/// Goes round and round, so that every entry is looked at. One thread.
template <class K, class V>
class TableSweep {
 public:
  /// Erases entries for which gone(V&) holds, among the next `slots` slots. O(slots).
  template <class Gone>
  void step(KeyedTables<K, V>& tables, std::size_t slots, Gone&& gone) {
    for (; slots > 0 && tables.size_ > 0; --slots) {
      auto& group = tables.groups_[group_];
      if (at_ >= group.count()) {
        group_ = (group_ + 1) % kKeyGroups;
        at_ = 0;
        continue;
      }
      auto& slot = group.slots[at_];
      if (tables.watch_) tables.watch_->before_slots(group_, at_, at_);
      if (slot.tag == 0 || !gone(slot.value())) {
        ++at_;
      } else {
        tables.remove(group, slot);  // another entry may have moved up to here
      }
    }
  }

 private:
  std::uint32_t group_ = 0;
  std::size_t at_ = 0;
};

}  // namespace millrace::detail
