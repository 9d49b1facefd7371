// Descriptor: an open file of the system, and writes that raise no SIGPIPE.
#pragma once

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/status.hpp"

namespace millrace::detail {

/// Closes its number when it goes, if it owns it.
class Descriptor {
 public:
  Descriptor(int number, bool owned) : number_(number), owned_(owned) {}
  Descriptor(Descriptor&& other) noexcept
      : number_(std::exchange(other.number_, -1)), owned_(other.owned_) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (owned_ && number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
  bool owned_;
};

/// Room in a pipe or socket whose other end is somebody else's: a writer waits for it, and another
/// thread may end the waiting.
class RoomToWrite {
 public:
  /// Any thread.
  void give_up() { gives_up_.store(true, std::memory_order_relaxed); }
  bool given_up() const { return gives_up_.load(std::memory_order_relaxed); }
  /// False: given up, and there was no room for a tenth of a second.
  bool wait(int number) const {
    constexpr int kLookMs = 100;
    pollfd wanted{number, POLLOUT, 0};
    while (::poll(&wanted, 1, kLookMs) <= 0) {
      if (given_up()) return false;
    }
    return true;
  }
  /// What it means when there was none.
  static Status nobody_reads(std::string_view place) {
    return Status(Code::sink_failed,
                  fmt::format("{} is full and nobody reads it, and the run is to end: what was not "
                              "written is lost; let its reader go on, or end it",
                              place));
  }

 private:
  std::atomic<bool> gives_up_{false};
};

/// Holds SIGPIPE back in this thread for one write, and takes it away if that write raised it: a
/// library installs no handlers, and the program may keep its own.
class PipeSignalHeld {
 public:
  PipeSignalHeld() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    if (!was_pending_) pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  PipeSignalHeld(const PipeSignalHeld&) = delete;
  PipeSignalHeld& operator=(const PipeSignalHeld&) = delete;
  ~PipeSignalHeld() {
    if (was_pending_) return;
    const timespec now{0, 0};
    sigset_t pending;
    sigpending(&pending);
    if (sigismember(&pending, SIGPIPE) == 1) {
      while (sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_;
};

}  // namespace millrace::detail
