// Limits of memory out of /proc and /sys.
#include "env/machine_memory.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <string_view>

namespace millrace::detail {
namespace {

constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();

/// The number that a file begins with; kNone for "max" and for files that are not there.
std::uint64_t number_in(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  std::uint64_t number = kNone;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() ? number : kNone;
}

std::uint64_t total_of_machine(const std::string& root) {
  std::ifstream file(root + "/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("MemTotal:")) continue;
    const std::size_t digits = line.find_first_of("0123456789");
    if (digits == std::string::npos) break;
    std::uint64_t kibibytes = 0;
    std::from_chars(line.data() + digits, line.data() + line.size(), kibibytes);
    return kibibytes * 1024;
  }
  return kNone;
}

/// The least limit of a group and of those it lies in.
std::uint64_t least_up(const std::string& mount, std::string group, const std::string& file) {
  std::uint64_t least = kNone;
  for (;;) {
    least = std::min(least, number_in(mount + group + "/" + file));
    const std::size_t slash = group.rfind('/');
    if (slash == std::string::npos) return least;
    group.resize(slash);
  }
}

/// Lines are "0::/group" (v2) or "4:memory,cpu:/group" (v1).
std::uint64_t limit_of_groups(const std::string& root) {
  const std::string mount = root + "/sys/fs/cgroup";
  std::uint64_t least = kNone;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string kinds = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string group = line.substr(second + 1);
    if (group == "/") group.clear();
    if (kinds == ",,") least = std::min(least, least_up(mount, group, "memory.max"));
    if (kinds.find(",memory,") == std::string::npos) continue;
    least = std::min(least, least_up(mount + "/memory", group, "memory.limit_in_bytes"));
  }
  return least;
}

}  // namespace

std::uint64_t machine_memory_bytes(const std::string& root) {
  const std::uint64_t bytes = std::min(total_of_machine(root), limit_of_groups(root));
  return bytes == kNone ? 0 : bytes;
}

std::uint64_t default_memory_bytes() {
  constexpr std::uint64_t kLeast = 256u << 20;
  return std::max(machine_memory_bytes() / 2, kLeast);
}

}  // namespace millrace::detail
