// The thread that waits for signals.
#include "host/stop_signals.hpp"

#include <unistd.h>

namespace millrace::detail {

StopSignals::StopSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&watched_);
  sigaddset(&watched_, SIGINT);
  sigaddset(&watched_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &watched_, &before_);
  watcher_ = std::thread([this] { watch(); });
}

StopSignals::~StopSignals() {
  ending_.store(true);
  pthread_kill(watcher_.native_handle(), SIGTERM);
  watcher_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void StopSignals::watch() {
  constexpr int kEndedBySignal = 130;
  int signal = 0;
  while (sigwait(&watched_, &signal) == 0 && !ending_.load()) {
    if (requested_.exchange(true)) _exit(kEndedBySignal);
  }
}

}  // namespace millrace::detail
