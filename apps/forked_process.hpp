// ForkedProcess: a copy of this process that does one thing, and dies with it.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <functional>
#include <optional>

#include "base/status.hpp"

namespace millrace::apps {

/// A child process. One thread, the only one of its process when it starts one.
class ForkedProcess {
 public:
  struct Ending {
    int code = 0;    ///< its exit code; of one that a signal ended 128 + signal
    int signal = 0;  ///< 0: it ended by itself
  };

  /// Runs `main` in a process of its own, which ends with what that returns. It has the signal mask
  /// of this thread, gets no Ctrl-C of the terminal, and is killed when this process ends. Errors:
  /// 9001.
  static Result<ForkedProcess> start(const std::function<int()>& main);

  pid_t id() const { return id_; }
  /// Not after ended() has told of its end.
  void send(int signal) const { ::kill(id_, signal); }
  /// Nullopt: it runs. Not again after it has told of its end.
  std::optional<Ending> ended() const { return wait(false); }
  /// SIGKILL, of which it never learns. Returns when it is gone.
  void kill_now() const;

 private:
  explicit ForkedProcess(pid_t id) : id_(id) {}
  std::optional<Ending> wait(bool blocking) const;

  pid_t id_;
};

}  // namespace millrace::apps
