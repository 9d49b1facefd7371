// The clock of busy shares, and the partitions that are shown.
#include "runtime/stage_figures.hpp"

#if defined(__x86_64__)
#include <x86intrin.h>
#else
#include <chrono>
#endif

namespace millrace::detail {

std::int64_t busy_ticks_now() {
#if defined(__x86_64__)
  return static_cast<std::int64_t>(__rdtsc());
#else
  return std::chrono::steady_clock::now().time_since_epoch().count();
#endif
}

void PartitionMarks::add(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (marks_.size() == kMax) return;
    marks_.emplace_back(kTimeMin);
    idle_.emplace_back(false);
    names_.push_back(name);
  }
}

}  // namespace millrace::detail
