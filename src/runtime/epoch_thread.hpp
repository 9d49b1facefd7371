// EpochThread: the thread in which an engine makes epochs, and waits for the disk.
#pragma once

#include <functional>
#include <thread>

#include "runtime/epoch_coordinator.hpp"

namespace millrace::detail {

/// start() and stop() by one thread.
class EpochThread {
 public:
  EpochThread() = default;
  ~EpochThread() { stop(); }
  EpochThread(const EpochThread&) = delete;
  EpochThread& operator=(const EpochThread&) = delete;

  /// `ended` is called once, in the thread: when the final epoch is complete, or with the failure
  /// when too many failed; not when it was stopped before. All references outlive it.
  void start(EpochCoordinator& coordinator, Env& env, std::function<void(const Status&)> ended);
  /// Returns when nothing is written any more. Repeatable.
  void stop();

 private:
  void work(Env& env, const std::function<void(const Status&)>& ended) const;

  EpochCoordinator* coordinator_ = nullptr;
  std::thread thread_;
};

}  // namespace millrace::detail
