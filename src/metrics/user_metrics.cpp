// Names of the user's metrics, and their sums over tasks.
#include "metrics/user_metrics.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

namespace millrace::detail {

void MetricSum::add(const Counter& counter) {
  sum_.kind = "counter";
  sum_.value += static_cast<double>(counter.value());
}

void MetricSum::add(const Gauge& gauge) {
  sum_.kind = "gauge";
  sum_.value += gauge.value();
}

void MetricSum::add(const millrace::Histogram& histogram) {
  sum_.kind = "histogram";
  add_spread(histogram);
}

void MetricSum::add(const Timer& timer) {
  sum_.kind = "timer";
  add_spread(timer.spread());
}

void MetricSum::add_spread(const millrace::Histogram& histogram) {
  histogram.spread().merge_into(spread_);
  sum_.count += histogram.count();
  sum_.value += static_cast<double>(histogram.sum());
  sum_.greatest = std::max(sum_.greatest, static_cast<double>(histogram.greatest()));
}

MetricReport MetricSum::report(std::string name) const {
  MetricReport report = sum_;
  report.name = std::move(name);
  if (report.kind == "counter" || report.kind == "gauge") return report;
  // A bucket's upper bound may lie above everything that was counted.
  const auto quantile = [&](double share) {
    return std::min(report.greatest, static_cast<double>(Histogram::quantile(spread_, share)));
  };
  report.p50 = quantile(0.5);
  report.p99 = quantile(0.99);
  if (report.kind != "timer") return report;
  for (double* part : {&report.value, &report.p50, &report.p99, &report.greatest}) *part /= 1000;
  return report;
}

void UserMetrics::add_to(MetricSums& sums) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, metric] : metrics_) {
    std::visit([&sum = sums[name]](const auto& one) { sum.add(*one); }, metric);
  }
}

void UserMetrics::check_name(std::string_view name) {
  constexpr std::size_t kNameBytesMax = 64;
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
  });
  if (!name.empty() && name.size() <= kNameBytesMax && plain) return;
  throw std::invalid_argument(
      fmt::format("the metric \"{}\": a name has 1 to {} characters, without quotes, backslashes "
                  "and control characters",
                  name, kNameBytesMax));
}

void UserMetrics::refuse_kind(std::string_view name) {
  throw std::invalid_argument(fmt::format(
      "the metric \"{}\" is registered as another kind: give each metric its own name", name));
}

}  // namespace millrace::detail
