// PlantedTrends: the trends that the generated feed holds, known before the first post is made.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/time.hpp"

namespace millrace::apps {

/// A hashtag that is used more and more from `start` to `peak`, and less and less from there to
/// `end`.
struct PlantedTrend {
  std::uint32_t tag = 0;  ///< index of the hashtag in the feed's words
  Time start = 0;
  Time peak = 0;
  Time end = 0;
  double peak_share = 0;  ///< of the posts with hashtags, at `peak`

  /// Share of the posts with hashtags at a time; linear on both sides of the peak.
  double share(Time time) const {
    if (time <= start || time >= end) return 0;
    const double up = static_cast<double>(time - start) / static_cast<double>(peak - start);
    const double down = static_cast<double>(end - time) / static_cast<double>(end - peak);
    return peak_share * std::min(up, down);
  }
};

/// An endless list of trends, ascending by their start: five an hour. A pure function of the seed.
class PlantedTrends {
 public:
  /// Tags are taken from [tag_first, tag_first + tag_count), each once before one comes again.
  PlantedTrends(std::uint64_t seed, Time feed_start, std::uint32_t tag_first,
                std::uint32_t tag_count)
      : seed_(seed), feed_start_(feed_start), tag_first_(tag_first), tag_count_(tag_count) {}

  PlantedTrend at(std::uint64_t index) const;
  /// Number of trends whose start lies before `time`.
  std::uint64_t begun(Time time) const;
  /// Indices [first, last) of the trends that may be under way at `time`: all others are not.
  std::pair<std::uint64_t, std::uint64_t> near(Time time) const;

  static constexpr Duration kEvery = std::chrono::minutes(12);
  static constexpr Duration kFirst =
      std::chrono::minutes(8);  ///< the first may begin, at the soonest
  static constexpr Duration kShift = std::chrono::minutes(4);  ///< later by up to
  static constexpr Duration kLongest = std::chrono::minutes(30);
  static constexpr Duration kShortest = std::chrono::minutes(10);
  static constexpr double kPeakMin = 0.04;
  static constexpr double kPeakMax = 0.12;

 private:
  std::uint64_t seed_;
  Time feed_start_;
  std::uint32_t tag_first_;
  std::uint32_t tag_count_;
};

}  // namespace millrace::apps
