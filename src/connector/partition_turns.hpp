// PartitionTurns: which partitions a task owns, and whose turn it is.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "operator/source.hpp"

namespace millrace::detail {

/// Task `task` of `tasks` owns the partitions whose index % tasks == task, and reads them in turn
/// until each ends; one that is shut by the source's gate is passed over. One thread.
class PartitionTurns {
 public:
  PartitionTurns() = default;
  /// `at_once`: how many of them take turns at a time; the next one begins when one has ended.
  PartitionTurns(std::uint32_t partitions, std::uint32_t task, std::uint32_t tasks,
                 std::size_t at_once = std::numeric_limits<std::size_t>::max())
      : at_once_(at_once) {
    for (std::uint64_t index = task; index < partitions; index += tasks) {
      owned_.push_back(static_cast<std::uint32_t>(index));
      open_.push_back(static_cast<std::uint32_t>(open_.size()));
    }
  }

  /// Those of the source's task.
  PartitionTurns(std::uint32_t partitions, const EndContext& context,
                 std::size_t at_once = std::numeric_limits<std::size_t>::max())
      : PartitionTurns(partitions, context.task, context.tasks, at_once) {
    if (context.gate) context.gate->heed();
    gate_ = context.gate;
  }

  /// Partitions of this task; they are numbered from 0.
  std::uint32_t count() const { return static_cast<std::uint32_t>(owned_.size()); }
  /// The index among all partitions of this task's partition `local`.
  std::uint32_t global(std::uint32_t local) const { return owned_[local]; }
  bool all_ended() const { return open_.empty(); }
  /// The number, in this task, of the partition whose turn it is; only while not all have ended.
  std::uint32_t current() const { return open_[turn()]; }
  /// Passes the turn on.
  void next() { turn_ = turn() + 1 < in_turn() ? turn() + 1 : 0; }
  /// Passes the turn on, and says for the source what came of it: when all in turn had nothing one
  /// after the other, the source has nothing now.
  Poll passed(bool gave) {
    next();
    quiet_in_a_row_ = gave ? 0 : quiet_in_a_row_ + 1;
    if (gave) return Poll::ready;
    if (quiet_in_a_row_ < in_turn()) return Poll::partition_idle;
    quiet_in_a_row_ = 0;
    return Poll::idle;
  }
  /// The current partition has no more: the turn passes on without it.
  void end_current() {
    turn_ = turn();
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(turn_));
    if (turn_ >= in_turn()) turn_ = 0;
  }

 private:
  std::size_t in_turn() const { return std::min(open_.size(), at_once_); }
  /// The first from turn_ on that may be read; turn_ itself where none may.
  std::size_t turn() const {
    if (!gate_ || !gate_->any()) return turn_;
    for (std::size_t step = 0; step < in_turn(); ++step) {
      const std::size_t at = (turn_ + step) % in_turn();
      if (!gate_->is_shut(open_[at])) return at;
    }
    return turn_;
  }

  const PartitionGate* gate_ = nullptr;  ///< null: always open
  std::vector<std::uint32_t> owned_;
  std::vector<std::uint32_t> open_;
  std::size_t at_once_ = 0;
  std::size_t turn_ = 0;
  std::size_t quiet_in_a_row_ = 0;
};

}  // namespace millrace::detail
