// Ctrl-C and SIGTERM: the first asks for a drained end, the second ends the process at once.
#pragma once

#include <atomic>
#include <csignal>
#include <thread>

namespace millrace::detail {

/// Takes SIGINT and SIGTERM for a thread of its own, so that no other thread is ever interrupted,
/// and ignores SIGPIPE: a closed output is an error of the write. Construct it before any other
/// thread starts: threads inherit which signals they leave alone. One at a time in a process.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// Whether a signal came. Any thread.
  bool requested() const { return requested_.load(std::memory_order_relaxed); }

 private:
  void watch();

  sigset_t watched_{};
  sigset_t before_{};
  std::atomic<bool> requested_{false};
  std::atomic<bool> ending_{false};
  std::thread watcher_;
};

}  // namespace millrace::detail
