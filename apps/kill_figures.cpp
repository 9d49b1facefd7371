// Shared memory, and waiting for the other process.
#include "kill_figures.hpp"

#include <sys/mman.h>

#include <chrono>
#include <new>
#include <thread>

namespace millrace::apps {

KillFigures* KillFigures::make() {
  void* const memory = ::mmap(nullptr, sizeof(KillFigures), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : new (memory) KillFigures();
}

void KillFigures::publish(const detail::OracleReport& report) {
  rows_.store(report.rows);
  wrong_.store(report.wrong);
  if (!report.kills) return;
  kills_.store(report.kills->kills);
  lost_.store(report.kills->lost);
  doubled_.store(report.kills->doubled);
}

detail::OracleReport KillFigures::report() const {
  return {rows_.load(), wrong_.load(),
          detail::KillsReport{kills_.load(), lost_.load(), doubled_.load()}};
}

void KillFigures::ask_for_last(RunEnd end) {
  using Clock = std::chrono::steady_clock;
  asked_.store(end);
  const auto limit = Clock::now() + std::chrono::seconds(10);
  while (!answered_.load() && Clock::now() < limit)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

void KillFigures::begin_anew() {
  asked_.store(RunEnd::none);
  answered_.store(false);
}

}  // namespace millrace::apps
