// TableWatch: who is told before the entries of keyed tables change.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::detail {

/// All calls come before the change, by the thread of the tables.
class TableWatch {
 public:
  /// Entries of key group `group` may change or move in the slots from `from` to `to`, both
  /// included; where `to` < `from`, from there to the last one and from the first one to there.
  virtual void before_slots(std::uint32_t group, std::size_t from, std::size_t to) = 0;
  /// Any entry of the group may.
  virtual void before_group(std::uint32_t group) = 0;
  /// All go, perhaps with the tables, or somebody else is to watch: nothing more is told.
  virtual void before_all() = 0;

 protected:
  ~TableWatch() = default;
};

}  // namespace millrace::detail
