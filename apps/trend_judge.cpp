// Alarms are matched with the trends that were under way when they came.
#include "trend_judge.hpp"

#include <algorithm>
#include <cmath>

namespace millrace::apps {
namespace {

double ratio(std::uint64_t part, std::uint64_t rest) {
  if (part + rest == 0) return 1;
  return static_cast<double>(part) / static_cast<double>(part + rest);
}

double tenths(double number) { return std::round(number * 10) / 10; }
double seconds(std::int64_t us) { return tenths(static_cast<double>(us) / 1e6); }

}  // namespace

double TrendFigures::precision() const { return ratio(seen, false_alarms); }
double TrendFigures::recall() const { return ratio(seen, missed); }

void TrendJudge::alarm(std::string_view tag, Time at, double score) {
  advance(at);
  const std::lock_guard lock(mutex_);
  for (auto& [index, open] : open_) {
    if (tables_->tag(open.trend.tag) != tag || at <= open.trend.start) continue;
    if (open.seen_after_s) return;  // it was cleared in between
    const std::int64_t delay = at - open.trend.start;
    open.seen_after_s = seconds(delay);
    open.score = tenths(score);
    ++figures_.seen;
    delays_ms_.add(static_cast<std::uint64_t>(delay / 1000));
    figures_.delay_s_max = std::max(figures_.delay_s_max, seconds(delay));
    return;
  }
  ++figures_.false_alarms;
  keep({std::string(tag), {"false alarm", std::nullopt, Timestamp{at}, 0, tenths(score)}});
}

void TrendJudge::advance(Time now) {
  const std::lock_guard lock(mutex_);
  if (now <= now_) return;
  now_ = now;
  for (; true; ++begun_) {
    const PlantedTrend trend = tables_->trends.at(begun_);
    if (trend.start >= now) break;
    open_.emplace(begun_, Open{trend, std::nullopt, std::nullopt});
    ++figures_.planted;
  }
  for (auto at = open_.begin(); at != open_.end();) {
    if (at->second.trend.end + kGrace.count() >= now) {
      ++at;
      continue;
    }
    close(at->second);
    at = open_.erase(at);
  }
}

void TrendJudge::close(const Open& open) {
  Row row = row_of(open);
  if (!open.seen_after_s) {
    ++figures_.missed;
    row.outcome.outcome = "missed";
  }
  keep(std::move(row));
}

void TrendJudge::keep(Row row) {
  closed_.push_back(std::move(row));
  if (closed_.size() > kKeptMax) closed_.pop_front();
}

TrendJudge::Row TrendJudge::row_of(const Open& open) const {
  return {std::string(tables_->tag(open.trend.tag)),
          {open.seen_after_s ? "seen" : "not yet", open.seen_after_s, Timestamp{open.trend.start},
           tenths(100 * open.trend.peak_share), open.score}};
}

TrendFigures TrendJudge::figures() const {
  const std::lock_guard lock(mutex_);
  TrendFigures figures = figures_;
  std::array<std::uint64_t, detail::Histogram::kBuckets> sum{};
  delays_ms_.merge_into(sum);
  figures.delay_s_p50 = std::min(static_cast<double>(detail::Histogram::quantile(sum, 0.5)) / 1e3,
                                 figures.delay_s_max);
  return figures;
}

std::vector<TrendJudge::Row> TrendJudge::latest(std::size_t count) const {
  const std::lock_guard lock(mutex_);
  std::vector<Row> rows(closed_.begin(), closed_.end());
  for (const auto& [index, open] : open_) rows.push_back(row_of(open));
  std::ranges::stable_sort(
      rows, [](const Row& a, const Row& b) { return a.outcome.planted_at > b.outcome.planted_at; });
  if (rows.size() > count) rows.resize(count);
  return rows;
}

}  // namespace millrace::apps
