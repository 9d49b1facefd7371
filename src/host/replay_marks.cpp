// Ranges of offsets as lines of a sealed file.
#include "host/replay_marks.hpp"

#include <fmt/format.h>

#include <iterator>
#include <sstream>

#include "journal/journal_file.hpp"

namespace millrace::detail {
namespace {

constexpr const char* kName = "replayed";
constexpr std::string_view kKind = "MRreplay";

}  // namespace

Result<ReplayMarks> ReplayMarks::read(Disk& disk, const std::string& folder) {
  ReplayMarks marks;
  const std::string path = folder + "/" + kName;
  if (!disk.exists(path)) return marks;
  const auto bytes = read_whole(disk, path);
  if (!bytes) return bytes.error();
  const auto payload = unsealed(path, kKind, *bytes);
  if (!payload) return payload.error();
  std::istringstream lines(*payload);
  std::string topic;
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  while (lines >> topic >> first >> end) marks.ranges_[topic][first] = end;
  return marks;
}

bool ReplayMarks::has(const std::string& topic, std::uint64_t offset) const {
  const auto found = ranges_.find(topic);
  if (found == ranges_.end()) return false;
  const auto behind = found->second.upper_bound(offset);
  return behind != found->second.begin() && offset < std::prev(behind)->second;
}

void ReplayMarks::add(const std::string& topic, std::uint64_t offset) {
  if (has(topic, offset)) return;
  Ranges& ranges = ranges_[topic];
  auto behind = ranges.upper_bound(offset);
  std::uint64_t end = offset + 1;
  if (behind != ranges.end() && behind->first == end) {
    end = behind->second;
    behind = ranges.erase(behind);
  }
  if (behind != ranges.begin() && std::prev(behind)->second == offset) {
    std::prev(behind)->second = end;
  } else {
    ranges[offset] = end;
  }
}

Status ReplayMarks::write(Disk& disk, const std::string& folder) const {
  std::string lines;
  for (const auto& [topic, ranges] : ranges_) {
    for (const auto& [first, end] : ranges) lines += fmt::format("{} {} {}\n", topic, first, end);
  }
  return replace_file(disk, folder, kName, kKind, lines);
}

Result<std::unique_ptr<DiskLock>> lock_replays(Disk& disk, const std::string& folder) {
  return disk.lock(fmt::format("{}/{}.lock", folder, kName));
}

}  // namespace millrace::detail
