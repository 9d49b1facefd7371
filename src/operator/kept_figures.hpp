// Gauges of what operators keep of records, as metrics of their component.
#pragma once

#include <cstddef>

#include "metrics/kept_names.hpp"
#include "operator/task_context.hpp"

namespace millrace::detail {

/// What a pattern keeps. One task's thread.
class MatchFigures {
 public:
  /// `user`: null where nobody is told.
  void open(TaskContext* user) {
    if (user == nullptr) return;
    partial_ = &user->gauge(kPartialMatches);
    keys_ = &user->gauge(kPartialMatchKeys);
    waiting_ = &user->gauge(kWaitingMatches);
  }
  /// Partial matches, the keys that have any, and matches that wait for those that began before.
  void tell(std::size_t partial, std::size_t keys, std::size_t waiting) {
    if (partial_ == nullptr) return;
    partial_->set(static_cast<double>(partial));
    keys_->set(static_cast<double>(keys));
    waiting_->set(static_cast<double>(waiting));
  }

 private:
  Gauge* partial_ = nullptr;
  Gauge* keys_ = nullptr;
  Gauge* waiting_ = nullptr;
};

/// How many records a side of a join keeps. One task's thread.
class KeptRecords {
 public:
  /// `side`: 0 the left one, 1 the right one; `user`: null where nobody is told.
  void open(TaskContext* user, int side) {
    if (user != nullptr) gauge_ = &user->gauge(side == 0 ? kLeftRecords : kRightRecords);
  }
  void add(std::size_t records) { set(count_ + records); }
  void take_away_one() { set(count_ - 1); }
  std::size_t count() const { return count_; }

 private:
  void set(std::size_t count) {
    count_ = count;
    if (gauge_ != nullptr) gauge_->set(static_cast<double>(count));
  }

  std::size_t count_ = 0;
  Gauge* gauge_ = nullptr;
};

}  // namespace millrace::detail
