// TaskEpochs: how far the barriers of an epoch have come in one task, and what it has handed in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/epoch_coordinator.hpp"

namespace millrace::detail {

/// A task's image is due when the barrier of an epoch has come over every input that has not ended;
/// an input over which it has come is not read meanwhile. Without such inputs it is due when the
/// epoch is begun. One task's thread.
class TaskEpochs {
 public:
  TaskEpochs(EpochCoordinator& coordinator, const Home& home, bool commits)
      : coordinator_(coordinator),
        number_(coordinator.add_task(home, commits)),
        taken_(coordinator.complete()),
        committed_(coordinator.complete()) {}

  /// Before anything runs.
  void add_input() {
    delivered_.push_back(0);
    ++open_;
  }
  /// Not to be read now.
  bool holds(std::size_t input) const { return aligning_ != 0 && delivered_[input] == aligning_; }
  /// The barrier of `epoch` has come over `input`. One of a later epoch than that which is waited
  /// for takes its place: the earlier one was given up.
  void barrier(std::size_t input, std::uint64_t epoch) {
    delivered_[input] = epoch;
    aligning_ = std::max(aligning_, epoch);
  }
  void ended() { --open_; }
  /// The epoch whose image is due now; 0: none.
  std::uint64_t due() const {
    if (done_) return 0;
    if (open_ == 0) return coordinator_.requested() > taken_ ? coordinator_.requested() : 0;
    if (aligning_ == 0) return 0;
    const auto come = std::ranges::count(delivered_, aligning_);
    return static_cast<std::size_t>(come) >= open_ ? aligning_ : 0;
  }
  /// The first epoch that an image which is taken now can belong to.
  std::uint64_t next() const { return std::max(coordinator_.requested(), taken_ + 1); }
  /// An image was begun: what follows the barrier may be read.
  void begun(const TaskImage& image) {
    taken_ = image.epoch;
    aligning_ = 0;
    done_ = image.last;
  }
  /// That image is whole.
  void hand_in(TaskImage image) { coordinator_.hand_in(number_, std::move(image)); }
  void hand_in_pieces(std::uint64_t epoch, std::vector<ImagePiece> pieces) {
    coordinator_.hand_in_pieces(epoch, std::move(pieces));
  }
  ImageChain chain_of(std::uint64_t epoch) const { return coordinator_.chain_of(epoch); }
  /// See EpochCoordinator::begin_last().
  bool hands_over() const { return coordinator_.hands_over(); }
  bool is_full() const { return coordinator_.is_full(); }
  std::size_t image_slots() const { return coordinator_.image_slots(); }
  /// The last image was begun.
  bool done() const { return done_; }
  bool over() const { return coordinator_.over(); }
  /// The newest complete epoch, if its sinks have not committed it; else 0.
  std::uint64_t to_commit() const {
    const std::uint64_t complete = coordinator_.complete();
    return complete > committed_ ? complete : 0;
  }
  void committed(std::uint64_t epoch) {
    committed_ = epoch;
    coordinator_.committed(number_, epoch);
  }

 private:
  EpochCoordinator& coordinator_;
  std::size_t number_;
  std::vector<std::uint64_t> delivered_;  ///< by input: the newest barrier
  std::size_t open_ = 0;                  ///< inputs that have not ended
  std::uint64_t aligning_ = 0;            ///< the epoch whose barriers are waited for; 0: none
  std::uint64_t taken_;
  std::uint64_t committed_;
  bool done_ = false;
};

}  // namespace millrace::detail
