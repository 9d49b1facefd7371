// Samples of reports in rings.
#include "metrics/history.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace millrace::detail {
namespace {

constexpr std::array<std::string_view, 9> kFigures = {
    "records_in_per_second", "records_out_per_second", "latency_us_p50", "latency_us_p99",
    "watermark_lag_ms",      "memory_bytes",           "busy_share",     "queued",
    "dead_letters"};
constexpr std::array<std::string_view, 4> kComponentFigures = {
    "received_per_second", "emitted_per_second", "busy_share", "queued"};

template <class T>
double or_none(const std::optional<T>& value) {
  return value ? static_cast<double>(*value) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

void SampleRing::push(float value) {
  values_[next_] = value;
  next_ = (next_ + 1) % values_.size();
  size_ = std::min(size_ + 1, values_.size());
}

void SampleRing::replace(float value) {
  values_[(next_ + values_.size() - 1) % values_.size()] = value;
}

std::vector<float> SampleRing::values() const {
  std::vector<float> out;
  out.reserve(size_);
  const std::size_t first = next_ + values_.size() - size_;
  for (std::size_t at = 0; at < size_; ++at) out.push_back(values_[(first + at) % values_.size()]);
  return out;
}

History::History() : rings_(kFigures.size(), SampleRing(kSamples)) { uptime_ms_.reserve(kSamples); }

void History::add(const Report& report) {
  const std::int64_t second = report.uptime_ms / kIntervalMs;
  replaces_ = !uptime_ms_.empty() && uptime_ms_.back() / kIntervalMs >= second;
  if (replaces_) {
    uptime_ms_.back() = report.uptime_ms;
  } else {
    if (uptime_ms_.size() == kSamples) uptime_ms_.erase(uptime_ms_.begin());
    uptime_ms_.push_back(report.uptime_ms);
  }
  at_ = report.at;
  const double figures[] = {report.records_in_per_second,
                            report.records_out_per_second,
                            or_none(report.recent_latency_us_p50),
                            or_none(report.recent_latency_us_p99),
                            or_none(report.watermark_lag_ms),
                            static_cast<double>(report.memory_bytes),
                            report.busy_share,
                            static_cast<double>(report.queued),
                            static_cast<double>(report.dead_letters)};
  static_assert(std::size(figures) == kFigures.size());
  for (std::size_t at = 0; at < rings_.size(); ++at) put(rings_[at], figures[at]);
  add_components(report);
}

/// Components are the same in each report of a topology.
void History::add_components(const Report& report) {
  if (components_.empty()) {
    const std::size_t count = std::min(report.components.size(), kComponents);
    for (std::size_t at = 0; at < count; ++at) {
      components_.push_back({report.components[at].name,
                             std::vector(kComponentFigures.size(), SampleRing(kSamples))});
    }
  }
  const std::size_t count = std::min(report.components.size(), components_.size());
  for (std::size_t at = 0; at < count; ++at) {
    const ComponentReport& component = report.components[at];
    const double figures[] = {component.received_per_second, component.emitted_per_second,
                              component.busy_share, static_cast<double>(component.queued)};
    static_assert(std::size(figures) == kComponentFigures.size());
    auto& rings = components_[at].rings;
    for (std::size_t which = 0; which < rings.size(); ++which) put(rings[which], figures[which]);
  }
}

void History::put(SampleRing& ring, double value) {
  if (replaces_) {
    ring.replace(static_cast<float>(value));
  } else {
    ring.push(static_cast<float>(value));
  }
}

HistoryReport History::topology() const { return report_of(rings_, kFigures.data()); }

std::optional<HistoryReport> History::component(std::string_view name) const {
  const auto found = std::ranges::find(components_, name, &OfComponent::name);
  if (found == components_.end()) return std::nullopt;
  return report_of(found->rings, kComponentFigures.data());
}

HistoryReport History::report_of(const std::vector<SampleRing>& rings,
                                 const std::string_view* names) const {
  HistoryReport report;
  report.at = at_;
  report.uptime_ms = uptime_ms_;
  for (std::size_t at = 0; at < rings.size(); ++at)
    report.figures.emplace_back(names[at], rings[at].values());
  return report;
}

}  // namespace millrace::detail
