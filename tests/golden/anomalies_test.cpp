// The rule of what is unusual, with one setting for all series, against anomalies that people
// labelled (the Numenta Anomaly Benchmark).
#include "line_fields.hpp"
#include "millrace/millrace.hpp"
#include "millrace/rules.hpp"

namespace millrace::golden {
namespace {

struct Measured {
  Timestamp time;
  std::string_view series;
  double value = 0;
};

/// A series by rows, with its labelled stretches: the first and the last row of each, in order.
struct Series {
  std::string name;
  std::vector<Timestamp> times;
  std::vector<double> values;
  std::vector<std::pair<std::size_t, std::size_t>> stretches;

  std::size_t row_at(Timestamp time) const {
    const auto at = std::ranges::find_if(times, [time](Timestamp t) { return t >= time; });
    return static_cast<std::size_t>(at - times.begin());
  }
  /// Rows that only teach, and do not count.
  std::size_t probation() const { return std::min<std::size_t>(times.size() * 15 / 100, 750); }
};

/// Those of the labels file, which has one name, stamp or bracket a line.
std::vector<Series> labelled_series(const std::string& folder) {
  std::vector<Series> all;
  std::vector<std::size_t> rows;
  for (const std::string& line : read_rows(folder + "labels/combined_windows.json")) {
    const std::size_t from = line.find('"');
    if (from == line.npos) continue;
    const std::string text = line.substr(from + 1, line.find('"', from + 1) - from - 1);
    if (!text.ends_with(".csv")) {
      rows.push_back(all.back().row_at(time_of(text)));
      if (rows.size() % 2 == 0) all.back().stretches.emplace_back(rows.end()[-2], rows.back());
      continue;
    }
    all.push_back({text, {}, {}, {}});
    for (const std::string& row : read_rows(folder + "data/" + text + ".gz")) {
      const auto fields = split_line(row);
      all.back().times.push_back(time_of(fields[0]));
      all.back().values.push_back(number_of(fields[1]));
    }
  }
  return all;
}

/// 1 far before the end of a stretch, -1 far behind it.
double sigma(double y) { return 2 / (1 + std::exp(5 * y)) - 1; }

/// By the benchmark's standard profile: the earliest detection in a stretch counts up to 1, a
/// stretch without one -1, a detection outside down to -0.11.
double points(const Series& series, const std::vector<std::size_t>& detected) {
  std::vector<double> best(series.stretches.size(), -1);
  double outside = 0;
  for (const std::size_t row : detected) {
    if (row < series.probation()) continue;
    const auto next =
        std::ranges::find_if(series.stretches, [row](const auto& its) { return its.first > row; });
    if (next == series.stretches.begin()) {
      outside -= 0.11;
      continue;
    }
    const auto [left, right] = *(next - 1);
    const auto width = static_cast<double>(right - left + 1);
    const double behind = static_cast<double>(row) - static_cast<double>(right);
    if (behind > 0) {
      const double y = behind / (width - 1);
      outside += 0.11 * (y > 3 ? -1 : sigma(y));
    } else {
      double& its = best[static_cast<std::size_t>(next - 1 - series.stretches.begin())];
      its = std::max(its, sigma((behind - 1) / width) / sigma(-1));
    }
  }
  for (const double its : best) outside += its;
  return outside;
}

class Anomalies : public testing::TestWithParam<std::uint32_t> {};

TEST_P(Anomalies, OneSettingForAllSeries) {
  const std::string folder = shared_folder("nab");
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  const std::vector<Series> all = labelled_series(folder);
  ASSERT_EQ(all.size(), 28u);
  std::vector<std::vector<Measured>> partitions(all.size());
  for (std::size_t at = 0; at < all.size(); ++at) {
    for (std::size_t row = 0; row < all[at].times.size(); ++row)
      partitions[at].push_back({all[at].times[row], all[at].name, all[at].values[row]});
  }
  std::map<std::string, std::vector<std::size_t>, std::less<>> detected;
  Topology topology("anomalies");
  // The clock of one series goes back by an hour.
  watch(topology.from(records<Measured>(std::move(partitions)))
            .event_time(&Measured::time, {.out_of_order = 1h})
            .key_by(&Measured::series),
        &Measured::value, deviates_by(4).by_time_of_day(3h).lasting(5min))
      .to(each([&](const RuleEvent<std::string_view>& event) {
        if (!event.began) return;
        const auto its = std::ranges::find(all, event.key, &Series::name);
        const std::size_t row = its->row_at(event.time);
        if (row < its->times.size()) detected[its->name].push_back(row);
      }));
  run(topology, GetParam(), 1 + GetParam() % 2);
  double sum = 0;
  double stretches = 0;
  for (const Series& series : all) {
    sum += points(series, detected[series.name]);
    stretches += static_cast<double>(series.stretches.size());
  }
  ASSERT_EQ(stretches, 58);
  // 0 is what no detection at all scores, 100 what the best of all stretches does.
  EXPECT_NEAR(100 * (sum + stretches) / (2 * stretches), 55.36, 0.05);
}

INSTANTIATE_TEST_SUITE_P(Parallelism, Anomalies, testing::Values(1u, 4u));

}  // namespace
}  // namespace millrace::golden
