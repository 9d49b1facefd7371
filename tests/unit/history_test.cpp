// Tests of History: a sample a second, the newest 900 of them, in bounded memory.
#include "metrics/history.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace millrace::detail {
namespace {

Report report_at(std::int64_t uptime_ms, double rate, std::size_t components = 1) {
  Report report;
  report.uptime_ms = uptime_ms;
  report.at = uptime_ms * 1000;
  report.records_in_per_second = rate;
  for (std::size_t at = 0; at < components; ++at) {
    report.components.emplace_back().name = "c" + std::to_string(at);
    report.components.back().received_per_second = rate + static_cast<double>(at);
  }
  return report;
}

const std::vector<float>& figure(const HistoryReport& history, std::string_view name) {
  for (const auto& [known, values] : history.figures) {
    if (known == name) return values;
  }
  ADD_FAILURE() << "no figure " << name;
  return history.figures.front().second;
}

TEST(History, IsEmptyBeforeTheFirstReport) {
  const HistoryReport history = History().topology();
  EXPECT_EQ(history.at, 0);
  EXPECT_TRUE(history.uptime_ms.empty());
  EXPECT_TRUE(figure(history, "records_in_per_second").empty());
}

TEST(History, KeepsTheNewestFifteenMinutesInOrder) {
  History history;
  for (int second = 1; second <= 2000; ++second) history.add(report_at(second * 1000, second));
  const HistoryReport kept = history.topology();
  ASSERT_EQ(kept.uptime_ms.size(), 900u);
  EXPECT_EQ(kept.uptime_ms.front(), 1'101'000);
  EXPECT_EQ(kept.uptime_ms.back(), 2'000'000);
  EXPECT_EQ(kept.at, 2'000'000'000);
  const auto& rates = figure(kept, "records_in_per_second");
  ASSERT_EQ(rates.size(), 900u);
  for (std::size_t at = 0; at < rates.size(); ++at)
    ASSERT_EQ(rates[at], static_cast<float>(1101 + at));
}

TEST(History, OfSeveralReportsInASecondTheLastIsKept) {
  History history;
  history.add(report_at(1000, 1));
  history.add(report_at(1990, 2));
  history.add(report_at(2010, 3));
  const HistoryReport kept = history.topology();
  EXPECT_EQ(kept.uptime_ms, (std::vector<std::int64_t>{1990, 2010}));
  EXPECT_EQ(figure(kept, "records_in_per_second"), (std::vector<float>{2, 3}));
}

TEST(History, AFigureThatThereWasNotIsNoNumber) {
  History history;
  history.add(report_at(1000, 1));
  EXPECT_TRUE(std::isnan(figure(history.topology(), "latency_us_p99").front()));
  EXPECT_TRUE(std::isnan(figure(history.topology(), "watermark_lag_ms").front()));
}

TEST(History, ComponentsHaveTheirOwnUpToABound) {
  History history;
  history.add(report_at(1000, 10, 501));
  history.add(report_at(2000, 20, 501));
  const auto last = history.component("c499");
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(figure(*last, "received_per_second"), (std::vector<float>{509, 519}));
  EXPECT_EQ(last->uptime_ms.size(), 2u);
  EXPECT_FALSE(history.component("c500").has_value());
  EXPECT_FALSE(history.component("none").has_value());
}

}  // namespace
}  // namespace millrace::detail
