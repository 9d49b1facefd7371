// Texts of /proc, read forgivingly: kernels and containers differ in what they show.
#include "connector/machine_reading.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace millrace::detail {
namespace {

constexpr std::size_t kMountsMax = 16;

/// The next line of `text`, which moves past it.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// The next word of `line`, which moves past it; empty at its end.
std::string_view take_word(std::string_view& line) {
  const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
  line.remove_prefix(begin);
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

template <class N>
std::optional<N> number(std::string_view word) {
  N value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

/// "\040" is how a mount point says a space.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto octal = [&](std::size_t index) {
      return index < text.size() && text[index] >= '0' && text[index] <= '7';
    };
    if (text[at] == '\\' && octal(at + 1) && octal(at + 2) && octal(at + 3)) {
      plain += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 +
                                 (text[at + 3] - '0'));
      at += 3;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

bool holds_files(std::string_view type) {
  static constexpr std::array<std::string_view, 15> kTypes = {
      "ext2", "ext3", "ext4",  "xfs",   "btrfs",    "zfs",    "f2fs",    "jfs",
      "vfat", "ntfs", "ntfs3", "exfat", "reiserfs", "nilfs2", "bcachefs"};
  return std::ranges::find(kTypes, type) != kTypes.end();
}

}  // namespace

std::vector<CpuTimes> parse_cpu_times(std::string_view stat) {
  // user nice system idle iowait irq softirq steal; guests are counted in user and nice already.
  constexpr std::size_t kIdle = 3;
  constexpr std::size_t kIoWait = 4;
  constexpr std::size_t kColumns = 8;
  std::vector<CpuTimes> list;
  while (!stat.empty()) {
    std::string_view line = take_line(stat);
    if (!line.starts_with("cpu")) continue;
    const std::string_view name = take_word(line).substr(3);
    CpuTimes times;
    times.name = name.empty() ? "total" : std::string(name);
    std::size_t column = 0;
    for (; column < kColumns; ++column) {
      const auto ticks = number<std::uint64_t>(take_word(line));
      if (!ticks) break;
      times.all += *ticks;
      if (column != kIdle && column != kIoWait) times.busy += *ticks;
    }
    if (column > kIdle) list.push_back(std::move(times));
  }
  return list;
}

std::optional<MemoryUse> parse_meminfo(std::string_view meminfo) {
  MemoryUse use;
  std::optional<std::uint64_t> available;
  std::uint64_t reclaimable = 0;
  while (!meminfo.empty()) {
    std::string_view line = take_line(meminfo);
    const std::string_view name = take_word(line);
    const auto kib = number<std::uint64_t>(take_word(line));
    if (!kib) continue;
    const std::uint64_t bytes = *kib * 1024;
    if (name == "MemTotal:") use.total = bytes;
    if (name == "MemAvailable:") available = bytes;
    if (name == "MemFree:" || name == "Buffers:" || name == "Cached:") reclaimable += bytes;
    if (name == "SwapTotal:") use.swap_total = bytes;
    if (name == "SwapFree:") use.swap_free = bytes;
  }
  if (use.total == 0) return std::nullopt;
  use.available = std::min(available.value_or(reclaimable), use.total);
  use.swap_free = std::min(use.swap_free, use.swap_total);
  return use;
}

std::vector<NetworkBytes> parse_net_dev(std::string_view net_dev) {
  constexpr std::size_t kSentColumn = 8;
  std::vector<NetworkBytes> list;
  while (!net_dev.empty()) {
    std::string_view line = take_line(net_dev);
    const std::size_t colon = line.rfind(':');  // a name may hold one: "eth0:1"
    if (colon == std::string_view::npos) continue;
    std::string_view name = line.substr(0, colon);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    line.remove_prefix(colon + 1);
    const auto received = number<std::uint64_t>(take_word(line));
    for (std::size_t column = 1; column < kSentColumn; ++column) take_word(line);
    const auto sent = number<std::uint64_t>(take_word(line));
    if (name.empty() || name == "lo" || !received || !sent) continue;
    list.push_back({std::string(name), *received, *sent});
  }
  return list;
}

std::optional<double> parse_pressure(std::string_view pressure) {
  while (!pressure.empty()) {
    std::string_view line = take_line(pressure);
    if (take_word(line) != "some") continue;
    const std::string_view average = take_word(line);
    if (!average.starts_with("avg10=")) return std::nullopt;
    return number<double>(average.substr(6));
  }
  return std::nullopt;
}

std::vector<std::string> parse_mounts(std::string_view mounts) {
  std::vector<std::string> points;
  std::vector<std::string_view> devices;
  while (!mounts.empty() && points.size() < kMountsMax) {
    std::string_view line = take_line(mounts);
    const std::string_view device = take_word(line);
    const std::string point = unescaped(take_word(line));
    const std::string_view type = take_word(line);
    // A container's root is an overlay, and its bind mounts repeat the host's devices.
    const bool root = point == "/" && type != "rootfs";
    if (point.empty() || (!root && !holds_files(type))) continue;
    if (std::ranges::find(devices, device) != devices.end()) continue;
    devices.push_back(device);
    points.push_back(point);
  }
  return points;
}

}  // namespace millrace::detail
