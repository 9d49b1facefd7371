// One round of measurements after another.
#include "connector/machine_source.hpp"

#include <algorithm>

namespace millrace::detail {
namespace {

constexpr std::size_t kFileBytesMax = 4u << 20;

double percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return 0;
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

/// How much a counter grew; 0 when it began again.
std::uint64_t growth(std::uint64_t before, std::uint64_t now) {
  return now > before ? now - before : 0;
}

}  // namespace

/// Appends readings of one moment; their texts lie in the batch's arena.
class MachineSource::Round {
 public:
  Round(Batch<MachineReading>& batch, Time time)
      : batch_(batch), arena_(ArenaRef::make(4u << 10)), time_(time) {
    batch_.pin(arena_);
  }
  /// `metric` and `unit` are literals.
  void add(std::string_view metric, std::string_view instance, double value,
           std::string_view unit) {
    batch_.values.push_back({time_, metric, arena_->intern(instance), value, unit});
  }

 private:
  Batch<MachineReading>& batch_;
  ArenaRef arena_;
  Timestamp time_;
};

Status MachineSource::open(const EndContext& context) {
  if (options_.interval <= Duration(0)) {
    return {Code::parameter_invalid,
            "machine: the time between two measurements must be longer than 0"};
  }
  env_ = context.env;
  next_ns_ = env_->clock->steady_ns();
  if (!parse_cpu_times(read("/proc/stat")).empty() || parse_meminfo(read("/proc/meminfo")))
    return {};
  return {
      Code::source_failed,
      "this machine cannot be measured: neither /proc/stat nor /proc/meminfo can be read; mount "
      "/proc, or run on Linux"};
}

Result<Poll> MachineSource::poll(BatchBase& base) {
  const std::int64_t now_ns = env_->clock->steady_ns();
  if (now_ns < next_ns_) return Poll::idle;
  const std::int64_t interval_ns = options_.interval.count() * 1000;
  next_ns_ += interval_ns;
  if (next_ns_ <= now_ns) next_ns_ = now_ns + interval_ns;  // missed rounds are not made up for
  auto& batch = static_cast<Batch<MachineReading>&>(base);
  Round round(batch, env_->clock->wall_us());
  Counters now;
  now.ns = now_ns;
  measure_cpu(round, now);
  measure_memory(round);
  measure_disks(round);
  measure_network(round, now);
  measure_pressure(round);
  before_ = std::move(now);
  batch.partition = 0;
  batch.offset = read_;
  read_ += batch.values.size();
  return Poll::ready;
}

std::string MachineSource::read(const std::string& path) const {
  auto reader = env_->files->open_read(path);
  std::string text;
  if (!reader) return text;
  char buffer[16u << 10];
  while (text.size() < kFileBytesMax) {
    const Result<std::size_t> count = (*reader)->read(buffer, sizeof buffer);
    if (!count || *count == 0 || *count == ByteReader::kNotReady) break;
    text.append(buffer, *count);
  }
  return text;
}

void MachineSource::measure_cpu(Round& round, Counters& now) const {
  for (CpuTimes& times : parse_cpu_times(read("/proc/stat"))) {
    const auto before = before_.cpu.find(times.name);
    if (before != before_.cpu.end()) {
      const std::uint64_t all = growth(before->second.all, times.all);
      const std::uint64_t busy = growth(before->second.busy, times.busy);
      if (all > 0) round.add("cpu", times.name, percent(std::min(busy, all), all), "%");
    }
    now.cpu.emplace(times.name, std::move(times));
  }
}

void MachineSource::measure_memory(Round& round) const {
  const auto use = parse_meminfo(read("/proc/meminfo"));
  if (!use) return;
  const std::uint64_t used = use->total - use->available;
  round.add("memory", "used", percent(used, use->total), "%");
  round.add("memory bytes", "used", static_cast<double>(used), "bytes");
  if (use->swap_total > 0)
    round.add("swap", "used", percent(use->swap_total - use->swap_free, use->swap_total), "%");
}

void MachineSource::measure_disks(Round& round) const {
  for (const std::string& mount : parse_mounts(read("/proc/self/mounts"))) {
    const auto space = env_->files->space(mount);
    if (!space || space->total_bytes == 0) continue;
    const std::uint64_t used = growth(space->free_bytes, space->total_bytes);
    // As df counts: what only the administrator may use is neither used nor available.
    round.add("disk", mount, percent(used, used + space->available_bytes), "%");
    round.add("disk free", mount, static_cast<double>(space->available_bytes), "bytes");
  }
}

void MachineSource::measure_network(Round& round, Counters& now) const {
  const double seconds = static_cast<double>(now.ns - before_.ns) / 1e9;
  for (NetworkBytes& bytes : parse_net_dev(read("/proc/net/dev"))) {
    const auto before = before_.network.find(bytes.name);
    if (before != before_.network.end() && seconds > 0) {
      const auto rate = [seconds](std::uint64_t from, std::uint64_t to) {
        return static_cast<double>(growth(from, to)) / seconds;
      };
      round.add("network received", bytes.name, rate(before->second.received, bytes.received),
                "bytes/s");
      round.add("network sent", bytes.name, rate(before->second.sent, bytes.sent), "bytes/s");
    }
    now.network.emplace(bytes.name, std::move(bytes));
  }
}

void MachineSource::measure_pressure(Round& round) const {
  for (const char* what : {"cpu", "memory", "io"}) {
    const auto share = parse_pressure(read(std::string("/proc/pressure/") + what));
    if (share) round.add("pressure", what, *share, "%");
  }
}

}  // namespace millrace::detail
