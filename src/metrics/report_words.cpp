// Numbers, durations and names as text.
#include "metrics/report_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace millrace::detail {

std::string percent(double share) {
  if (share > 0.99 && share < 1) return fmt::format("{:.1f} %", std::floor(share * 1000) / 10);
  if (share > 0 && share < 0.01) return "less than 1 %";
  return fmt::format("{:.0f} %", share * 100);
}

std::string counted(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string records_of(std::uint64_t count) {
  return count == 1 ? "1 record" : counted(count) + " records";
}

std::string keys_of(std::uint64_t count) { return count == 1 ? "1 key" : counted(count) + " keys"; }

std::uint64_t gauge_of(const ComponentReport& component, std::string_view name) {
  const auto found = std::ranges::find(component.metrics, name, &MetricReport::name);
  const bool is_gauge = found != component.metrics.end() && found->kind == "gauge";
  return is_gauge ? static_cast<std::uint64_t>(std::max(found->value, 0.0)) : 0;
}

std::string lasting(double us) {
  constexpr double kSecond = 1e6;
  if (us < 1e3) return fmt::format("{:.0f} us", us);
  if (us < kSecond) return fmt::format("{:.0f} ms", us / 1e3);
  if (us < 10 * kSecond) return fmt::format("{:.1f} s", us / kSecond);
  if (us < 120 * kSecond) return fmt::format("{:.0f} s", us / kSecond);
  if (us < 7200 * kSecond) return fmt::format("{:.0f} min", us / (60 * kSecond));
  if (us < 48 * 3600 * kSecond) return fmt::format("{:.1f} h", us / (3600 * kSecond));
  return fmt::format("{:.0f} days", us / (86400 * kSecond));
}

std::string moment(std::optional<Time> time) {
  if (!time || *time == kTimeMin) return "nowhere yet";
  return *time == kTimeMax ? "the end of input" : format_iso_time(*time);
}

std::string names_of(const std::vector<std::string>& names) {
  constexpr std::size_t kNamed = 3;
  std::string out;
  const std::size_t named = std::min(names.size(), kNamed);
  for (std::size_t at = 0; at < named; ++at) {
    if (at > 0) out += at + 1 == names.size() ? " and " : ", ";
    out += '"' + names[at] + '"';
  }
  if (names.size() > named) out += fmt::format(" and {} more", names.size() - named);
  return out;
}

const ComponentReport* find_component(const Report& report, std::string_view name) {
  const auto found = std::ranges::find(report.components, name, &ComponentReport::name);
  return found == report.components.end() ? nullptr : &*found;
}

std::optional<HeldTime> held_time(const Report& report) {
  constexpr Time kAheadMin = 1'000'000;
  std::optional<HeldTime> least;
  Time furthest = kTimeMin;
  for (const ComponentReport& component : report.components) {
    for (const PartitionReport& partition : component.partitions) {
      const Time at = partition.watermark.value_or(kTimeMin);
      furthest = std::max(furthest, at);
      if (partition.idle) continue;  // it holds nobody
      if (!least || at < least->at.value_or(kTimeMin))
        least = HeldTime{partition.name, component.name, partition.watermark, {}};
    }
  }
  if (!least || least->at == kTimeMax || furthest == kTimeMin) return std::nullopt;
  if (least->at && furthest - *least->at < kAheadMin) return std::nullopt;
  least->furthest = furthest;
  return least;
}

}  // namespace millrace::detail
