// PartitionTurns: which partitions a task owns, and whose turn it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace::detail {

/// Task `task` of `tasks` owns the partitions whose index % tasks == task, and reads them in turn
/// until each ends. One thread.
class PartitionTurns {
 public:
  PartitionTurns() = default;
  PartitionTurns(std::uint32_t partitions, std::uint32_t task, std::uint32_t tasks) {
    for (std::uint64_t index = task; index < partitions; index += tasks) {
      owned_.push_back(static_cast<std::uint32_t>(index));
      open_.push_back(static_cast<std::uint32_t>(open_.size()));
    }
  }

  /// Partitions of this task; they are numbered from 0.
  std::uint32_t count() const { return static_cast<std::uint32_t>(owned_.size()); }
  /// The index among all partitions of this task's partition `local`.
  std::uint32_t global(std::uint32_t local) const { return owned_[local]; }
  bool all_ended() const { return open_.empty(); }
  /// The number, in this task, of the partition whose turn it is; only while not all have ended.
  std::uint32_t current() const { return open_[turn_]; }
  /// Passes the turn on.
  void next() { turn_ = turn_ + 1 < open_.size() ? turn_ + 1 : 0; }
  /// The current partition has no more: the turn passes on without it.
  void end_current() {
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(turn_));
    if (turn_ >= open_.size()) turn_ = 0;
  }

 private:
  std::vector<std::uint32_t> owned_;
  std::vector<std::uint32_t> open_;
  std::size_t turn_ = 0;
};

}  // namespace millrace::detail
