// MachineReading: one measurement of the machine; the texts of /proc that it is taken from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace millrace {

/// A measurement of this machine: cpu total 37.5 %.
struct MachineReading {
  Timestamp time;             ///< when it was read, by the wall clock
  std::string_view metric;    ///< "cpu", "memory", "disk", ..., see machine()
  std::string_view instance;  ///< which of several: "total", "0", "/home", "eth0"
  double value = 0;
  std::string_view unit;  ///< "%", "bytes", "bytes/s" or ""
};

namespace detail {

/// CPU time by /proc/stat since the machine started, in ticks.
struct CpuTimes {
  std::string name;  ///< "total", "0", "1", ...
  std::uint64_t busy = 0;
  std::uint64_t all = 0;
};
/// Lines "cpu..." of /proc/stat; idle and waiting for disks are not busy. Other lines are skipped.
std::vector<CpuTimes> parse_cpu_times(std::string_view stat);

/// Bytes by /proc/meminfo. Kernels before 3.14 have no MemAvailable: free, buffers and cache.
struct MemoryUse {
  std::uint64_t total = 0;
  std::uint64_t available = 0;
  std::uint64_t swap_total = 0;
  std::uint64_t swap_free = 0;
};
/// nullopt when the text has no total.
std::optional<MemoryUse> parse_meminfo(std::string_view meminfo);

/// Bytes of an interface by /proc/net/dev since it came up.
struct NetworkBytes {
  std::string name;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
};
/// Every interface but "lo". Lines that do not fit are skipped.
std::vector<NetworkBytes> parse_net_dev(std::string_view net_dev);

/// The avg10 of line "some" of a file in /proc/pressure: share of the last ten seconds in which
/// some task waited, in percent. nullopt where the text has none.
std::optional<double> parse_pressure(std::string_view pressure);

/// Mount points of /proc/self/mounts whose space is worth watching: the root, and each device once.
/// At most 16; what the kernel makes up (proc, tmpfs, ...) and images (squashfs, iso9660) are not.
std::vector<std::string> parse_mounts(std::string_view mounts);

}  // namespace detail
}  // namespace millrace
