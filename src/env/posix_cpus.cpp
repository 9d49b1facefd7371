// Affinity, quotas and what /proc says of computing time.
#include "env/posix_cpus.hpp"

#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace millrace::detail {
namespace {

/// The processors this process may run on, by number.
std::vector<bool> allowed() {
  std::vector<bool> numbers;
  for (int size = 1024; size <= (1 << 16); size *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(size));
    if (!set) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(size));
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    for (int at = 0; known && at < size; ++at) {
      numbers.push_back(CPU_ISSET_S(static_cast<std::size_t>(at), bytes, set) != 0);
    }
    CPU_FREE(set);
    if (known) return numbers;
  }
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return std::vector<bool>(static_cast<std::size_t>(std::max(1L, online)), true);
}

/// Processors that "QUOTA PERIOD" microseconds allow; nullopt: no limit.
std::optional<double> quota_of(std::istream& text) {
  double quota = 0;
  double period = 0;
  if (!(text >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

/// The least quota of the control group of this process and those above it, version 2 or 1.
std::optional<double> quota() {
  std::optional<double> least;
  const auto take = [&least](std::optional<double> value) {
    if (value) least = least ? std::min(*least, *value) : *value;
  };
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::/")) continue;
    for (std::string path = line.substr(3);; path.resize(path.rfind('/'))) {
      std::ifstream limit("/sys/fs/cgroup" + path + "/cpu.max");
      take(quota_of(limit));
      if (path.empty() || path == "/") break;
    }
  }
  std::ifstream time("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  std::stringstream both;
  both << time.rdbuf() << ' ' << period.rdbuf();
  take(quota_of(both));
  return least;
}

/// Computing time of everybody on the processors of `mine`, from /proc/stat.
std::int64_t busy_ns(const std::vector<bool>& mine) {
  const long hertz = std::max(1L, sysconf(_SC_CLK_TCK));
  std::int64_t ticks = 0;
  std::ifstream stat("/proc/stat");
  for (std::string line; std::getline(stat, line) && line.starts_with("cpu");) {
    std::istringstream words(line.substr(3));
    std::size_t number = 0;
    if (line[3] == ' ' || !(words >> number) || number >= mine.size() || !mine[number]) continue;
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are part of user already.
    std::int64_t part = 0;
    for (int at = 0; at < 8 && (words >> part); ++at) {
      if (at != 3 && at != 4) ticks += part;
    }
  }
  return ticks * (1'000'000'000 / hertz);
}

}  // namespace

CpuUse PosixCpus::use() {
  const std::vector<bool> mine = allowed();
  CpuUse use;
  use.processors = static_cast<double>(std::count(mine.begin(), mine.end(), true));
  use.quota = std::min(use.processors, quota().value_or(use.processors));
  use.busy_ns = busy_ns(mine);
  timespec own{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
  use.own_ns = static_cast<std::int64_t>(own.tv_sec) * 1'000'000'000 + own.tv_nsec;
  return use;
}

std::int64_t PosixCpus::this_thread() { return syscall(SYS_gettid); }

std::int64_t PosixCpus::kept_waiting_ns(std::int64_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/schedstat");
  std::int64_t ran = 0;
  std::int64_t waited = 0;
  return file >> ran >> waited ? waited : 0;
}

}  // namespace millrace::detail
