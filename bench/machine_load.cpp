// Processes that compute and sleep in turn.
#include "machine_load.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace millrace::bench {
namespace {

[[noreturn]] void compute_and_sleep(int processor, double share) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(processor, &one);
  sched_setaffinity(0, sizeof one, &one);
  constexpr std::chrono::microseconds kTurn{10'000};
  const auto busy = std::chrono::duration_cast<std::chrono::nanoseconds>(kTurn * share);
  for (;;) {
    const auto start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start < busy) {
    }
    std::this_thread::sleep_until(start + kTurn);
  }
}

}  // namespace

MachineLoad::MachineLoad(double share) {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  if (share <= 0 || sched_getaffinity(0, sizeof mine, &mine) != 0) return;
  const pid_t parent = getpid();
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (!CPU_ISSET(processor, &mine)) continue;
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("no process for the load could be started");
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(0);
      compute_and_sleep(processor, share);
    }
    processes_.push_back(child);
  }
}

MachineLoad::~MachineLoad() {
  for (const pid_t process : processes_) {
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
  }
}

}  // namespace millrace::bench
