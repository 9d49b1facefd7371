// CallFigures: what is told of calls to the outside, as metrics of their component.
#pragma once

#include <cstddef>
#include <string>

#include "operator/task_context.hpp"

namespace millrace::detail {

/// One task's thread.
class CallFigures {
 public:
  /// `user`: null where nobody is told.
  void open(TaskContext* user) {
    if (user == nullptr) return;
    called_ = &user->counter("calls");
    retried_ = &user->counter("calls_retried");
    timed_out_ = &user->counter("calls_timed_out");
    failed_ = &user->counter("calls_failed");
    fell_back_ = &user->counter("calls_fell_back");
    late_ = &user->counter("replies_late");
    in_flight_ = &user->gauge("calls_in_flight");
  }

  /// A try was made; a further one of a record.
  void called() { add(called_); }
  void retried() { add(retried_); }
  /// A try had no reply in time.
  void timed_out() { add(timed_out_); }
  /// The last try of a record has failed, and what stood in for its result.
  void failed() { add(failed_); }
  void fell_back() { add(fell_back_); }
  /// A reply that nobody waits for.
  void came_late() { add(late_); }
  void in_flight(std::size_t now) {
    if (in_flight_ != nullptr) in_flight_->set(static_cast<double>(now));
  }

 private:
  static void add(Counter* counter) {
    if (counter != nullptr) counter->add(1);
  }

  Counter* called_ = nullptr;
  Counter* retried_ = nullptr;
  Counter* timed_out_ = nullptr;
  Counter* failed_ = nullptr;
  Counter* fell_back_ = nullptr;
  Counter* late_ = nullptr;
  Gauge* in_flight_ = nullptr;
};

/// What is told of a cache. One task's thread.
class CacheFigures {
 public:
  void open(TaskContext* user) {
    if (user == nullptr) return;
    hits_ = &user->counter("lookup_hits");
    misses_ = &user->counter("lookup_misses");
    size_ = &user->gauge("lookup_cached_keys");
  }
  /// A record whose key was known, or asked for already; one whose key was not.
  void hit() {
    if (hits_ != nullptr) hits_->add(1);
  }
  void missed() {
    if (misses_ != nullptr) misses_->add(1);
  }
  void size(std::size_t keys) {
    if (size_ != nullptr) size_->set(static_cast<double>(keys));
  }

 private:
  Counter* hits_ = nullptr;
  Counter* misses_ = nullptr;
  Gauge* size_ = nullptr;
};

}  // namespace millrace::detail
