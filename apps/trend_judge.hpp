// TrendJudge: compares the trends that were seen with those that were planted.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/histogram.hpp"
#include "post_feed.hpp"

namespace millrace::apps {

/// What became of the planted trends; delays are of the feed's own time.
struct TrendFigures {
  std::uint64_t planted = 0;       ///< begun so far: seen, missed, or not seen yet
  std::uint64_t seen = 0;          ///< an alarm while they lasted
  std::uint64_t missed = 0;        ///< over, and never seen
  std::uint64_t false_alarms = 0;  ///< alarms of hashtags that nobody planted
  double delay_s_p50 = 0;          ///< from a trend's start to its first alarm; 0: none seen
  double delay_s_max = 0;

  /// Share of the alarms that were right; 1 when there was none.
  double precision() const;
  /// Share of the trends that were seen of those seen or missed; 1 when there was none.
  double recall() const;
};

/// A planted trend, or a false alarm, as the page shows it.
struct TrendOutcome {
  std::string_view outcome;  ///< "seen", "not yet", "missed", "false alarm"
  std::optional<double> seen_after_s;
  Timestamp planted_at{kTimeMin};  ///< of a false alarm: when it was raised
  double peak_percent = 0;
  std::optional<double> score;
};

/// Knows the truth. Any thread.
class TrendJudge {
 public:
  explicit TrendJudge(std::shared_ptr<const FeedTables> tables) : tables_(std::move(tables)) {}

  /// An alarm of a hashtag at the end of a window.
  void alarm(std::string_view tag, Time at, double score);
  /// All windows up to `now` were judged.
  void advance(Time now);
  TrendFigures figures() const;

  struct Row {
    std::string tag;
    TrendOutcome outcome;
  };
  /// The newest `count` trends and false alarms, newest first.
  std::vector<Row> latest(std::size_t count) const;

 private:
  struct Open {
    PlantedTrend trend;
    std::optional<double> seen_after_s;
    std::optional<double> score;
  };
  static constexpr std::size_t kKeptMax = 64;
  /// An alarm comes at the end of a window; the trend may have ended within it.
  static constexpr Duration kGrace = std::chrono::minutes(1);

  Row row_of(const Open& open) const;
  void close(const Open& open);
  void keep(Row row);

  const std::shared_ptr<const FeedTables> tables_;
  mutable std::mutex mutex_;            // guards all below
  std::uint64_t begun_ = 0;             // index of the first trend that has not begun
  std::map<std::uint64_t, Open> open_;  // begun and not over, by index
  std::deque<Row> closed_;              // newest last
  TrendFigures figures_;
  detail::Histogram delays_ms_;
  Time now_ = kTimeMin;
};

}  // namespace millrace::apps
