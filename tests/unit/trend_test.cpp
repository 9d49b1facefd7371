// Tests of trend: the baseline's statistics, and the verb over windows.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "env/random.hpp"
#include "millrace/millrace.hpp"
#include "simulated_run.hpp"

namespace millrace {
namespace {

/// A Poisson number of small mean (Knuth).
double poisson(detail::Random& random, double mean) {
  const double least = std::exp(-mean);
  double product = random.unit();
  double count = 0;
  while (product > least) {
    product *= random.unit();
    ++count;
  }
  return count;
}

TEST(TrendBaseline, FollowsMeanAndSpreadOfWhatItLearns) {
  detail::Random random(5);
  detail::TrendBaseline baseline;
  const double weight = 1 - std::exp2(-1.0 / 60);
  Trend last;
  double greatest = 0;
  double sum_of_squares = 0;
  constexpr int kWindows = 20'000;
  for (int window = 1; window <= kWindows; ++window) {
    last = baseline.learn(poisson(random, 20), std::max(weight, 1.0 / window), 1);
    if (window <= 60) continue;
    greatest = std::max(greatest, last.score);
    sum_of_squares += last.score * last.score;
  }
  EXPECT_NEAR(last.expected, 20, 2);
  EXPECT_NEAR(std::sqrt(sum_of_squares / kWindows), 1, 0.15) << "scores are standard deviations";
  EXPECT_LT(greatest, 6) << "6 is not reached by chance";
  EXPECT_GT(baseline.learn(60, weight, 1).score, 6);
}

TEST(TrendBaseline, ATrendDoesNotBecomeItsOwnBaselineAtOnce) {
  detail::TrendBaseline baseline;
  const double weight = 1 - std::exp2(-1.0 / 30);
  baseline.learn(4, 1, 1);
  for (int window = 0; window < 5; ++window) {
    EXPECT_GT(baseline.learn(500, weight, 1).score, 6) << window;
  }
  for (int window = 0; window < 500; ++window) baseline.learn(500, weight, 1);
  EXPECT_LT(baseline.learn(500, weight, 1).score, 1) << "what lasts becomes normal";
}

TEST(TrendBaseline, SilenceLowersTheMean) {
  detail::TrendBaseline baseline;
  baseline.learn(64, 1, 1);
  baseline.decay(0.25);
  EXPECT_DOUBLE_EQ(baseline.learn(0, 0.5, 1).expected, 16);
}

struct Use {
  Timestamp time;
  std::string_view tag;
};

/// Windows of a minute: each tag's number of uses.
std::vector<Use> uses(const std::vector<std::map<std::string_view, int>>& minutes) {
  std::vector<Use> list;
  Time minute = 0;
  for (const auto& counts : minutes) {
    for (const auto& [tag, count] : counts) {
      for (int use = 0; use < count; ++use) list.push_back({Timestamp{minute}, tag});
    }
    minute += 60'000'000;
  }
  return list;
}

using Scores = std::map<std::pair<Time, std::string>, Trend>;

Scores scores(std::vector<Use> list, TrendOptions options, std::uint32_t parallelism) {
  Topology topology("trends");
  Scores seen;
  topology.from(records<Use>({std::move(list)}))
      .event_time(&Use::time)
      .key_by(&Use::tag)
      .window(tumbling(1min))
      .count()
      .trend(options)
      .to(each([&seen](const Aggregate<std::string_view, Trend>& row) {
        seen[{row.window_end / 60'000'000, std::string(row.key)}] = row.value;
      }));
  EXPECT_TRUE(run_simulated(topology, parallelism).ok());
  return seen;
}

TEST(TrendVerb, IsTheSameForAnyNumberOfTasks) {
  // Most tags are not there in the first windows, so most tasks see none of these.
  std::vector<std::map<std::string_view, int>> minutes(24);
  static constexpr std::string_view kTags[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
  for (std::size_t minute = 0; minute < minutes.size(); ++minute) {
    for (std::size_t tag = 0; tag <= minute / 2 && tag < std::size(kTags); ++tag) {
      minutes[minute][kTags[tag]] = static_cast<int>(3 + (minute * 7 + tag * 5) % 11);
    }
  }
  const TrendOptions options{.half_life = 30min, .learn_windows = 5};
  const Scores alone = scores(uses(minutes), options, 1);
  EXPECT_EQ(alone.begin()->first.first, 6);
  for (std::uint32_t parallelism = 2; parallelism <= 8; ++parallelism) {
    const Scores several = scores(uses(minutes), options, parallelism);
    ASSERT_EQ(several.size(), alone.size()) << parallelism;
    for (const auto& [place, trend] : several) {
      const Trend& wanted = alone.at(place);
      EXPECT_EQ(trend.score, wanted.score) << place.first << " " << place.second;
      EXPECT_EQ(trend.expected, wanted.expected) << place.first << " " << place.second;
    }
  }
}

TEST(TrendVerb, ScoresAgainstTheTagsOwnBaseline) {
  std::vector<std::map<std::string_view, int>> minutes(20, {{"steady", 100}, {"quiet", 3}});
  minutes[15]["quiet"] = 40;    // thirteen times its own
  minutes[15]["steady"] = 110;  // more than that in number, and nothing to it
  minutes[16]["fresh"] = 50;    // was never seen before
  for (const std::uint32_t parallelism : {1, 4}) {
    const Scores seen =
        scores(uses(minutes), {.half_life = 30min, .learn_windows = 5}, parallelism);
    EXPECT_EQ(seen.count({5, "steady"}), 0u) << "five windows are learnt from";
    EXPECT_EQ(seen.count({6, "steady"}), 1u);
    EXPECT_GT(seen.at({16, "quiet"}).score, 6);
    EXPECT_NEAR(seen.at({16, "quiet"}).expected, 3, 0.01);
    EXPECT_LT(seen.at({16, "steady"}).score, 2);
    EXPECT_DOUBLE_EQ(seen.at({17, "fresh"}).expected, 0);
    EXPECT_GT(seen.at({17, "fresh"}).score, 6);
    for (const auto& [place, trend] : seen) {
      if (place.first < 16) {
        EXPECT_LT(std::abs(trend.score), 0.01) << place.first;
      }
    }
  }
}

TEST(TrendVerb, AnAbsentTagIsUsedToNothing) {
  std::vector<std::map<std::string_view, int>> minutes(90, {{"other", 1}});
  for (int minute = 0; minute < 10; ++minute) minutes[minute]["gone"] = 64;
  minutes[70]["gone"] = 64;
  const Scores seen = scores(uses(minutes), {.half_life = 30min}, 1);
  EXPECT_NEAR(seen.at({71, "gone"}).expected, 16, 0.01) << "two half-lives of silence";
  EXPECT_GT(seen.at({71, "gone"}).score, 1);
}

TEST(TrendVerb, OptionsThatCannotBeAreRefused) {
  const auto problems_of = [](TrendOptions options, Windows windows) {
    Topology topology("trends");
    topology.from(records<Use>({uses({{{"a", 1}}})}))
        .event_time(&Use::time)
        .key_by(&Use::tag)
        .window(windows)
        .count()
        .trend(options)
        .top(3, &Trend::score)
        .to(view("Trending"));
    return topology.declaration().graph.validate();
  };
  EXPECT_TRUE(problems_of({}, tumbling(1min)).empty());
  EXPECT_EQ(problems_of({.half_life = 0s}, tumbling(1min)).size(), 1u);
  EXPECT_EQ(problems_of({.learn_windows = 0}, tumbling(1min)).size(), 1u);
  EXPECT_EQ(problems_of({.rare = 0}, tumbling(1min)).size(), 1u);
  const auto global_refused = problems_of({}, global());
  ASSERT_EQ(global_refused.size(), 1u);
  EXPECT_EQ(global_refused.front().code(), Code::parameter_invalid);
}

}  // namespace
}  // namespace millrace
