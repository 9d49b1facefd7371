// Tests of the demo `posts`: its judge, its pace by the clock, and that it finds what was planted.
#include <gtest/gtest.h>

#include "apps/popular_posts.hpp"
#include "env/sim_env.hpp"
#include "runtime/simulation.hpp"

namespace millrace::apps {
namespace {

struct Judged {
  std::shared_ptr<const FeedTables> tables = std::make_shared<const FeedTables>(1);
  TrendJudge judge{tables};
  PlantedTrend trend(std::uint64_t index) const { return tables->trends.at(index); }
  std::string_view tag(std::uint64_t index) const { return tables->tag(trend(index).tag); }
};

constexpr Time kSecond = 1'000'000;

TEST(TrendJudge, AnAlarmWhileATrendLastsSeesIt) {
  Judged with;
  with.judge.alarm(with.tag(0), with.trend(0).start + 90 * kSecond, 7.25);
  with.judge.alarm(with.tag(0), with.trend(0).start + 200 * kSecond, 9);
  const TrendFigures figures = with.judge.figures();
  EXPECT_EQ(figures.planted, 1u);
  EXPECT_EQ(figures.seen, 1u);
  EXPECT_EQ(figures.false_alarms, 0u) << "a second alarm of the same trend says nothing new";
  EXPECT_EQ(figures.delay_s_max, 90);
  EXPECT_NEAR(figures.delay_s_p50, 90, 90 / 16.0);
  const auto rows = with.judge.latest(5);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].tag, with.tag(0));
  EXPECT_EQ(rows[0].outcome.outcome, "seen");
  EXPECT_EQ(rows[0].outcome.seen_after_s, 90.0);
}

TEST(TrendJudge, AlarmsBeforeAfterAndOfOthersAreFalse) {
  Judged with;
  with.judge.alarm(with.tag(0), with.trend(0).start - kSecond, 7);
  with.judge.alarm("nobody", with.trend(0).start + kSecond, 7);
  with.judge.alarm(with.tag(0), with.trend(0).end + 61 * kSecond, 7);
  const TrendFigures figures = with.judge.figures();
  EXPECT_EQ(figures.seen, 0u);
  EXPECT_EQ(figures.false_alarms, 3u);
  EXPECT_EQ(figures.missed, 1u);
  EXPECT_EQ(figures.precision(), 0);
  EXPECT_EQ(figures.recall(), 0);
}

TEST(TrendJudge, WhatIsNotSeenIsMissedWhenItIsOver) {
  Judged with;
  with.judge.advance(with.trend(0).end);
  EXPECT_EQ(with.judge.figures().missed, 0u) << "the last window may still tell";
  with.judge.advance(with.trend(0).end + 61 * kSecond);
  EXPECT_EQ(with.judge.figures().missed, 1u);
  EXPECT_EQ(with.judge.figures().planted,
            with.tables->trends.begun(with.trend(0).end + 61 * kSecond));
  const auto rows = with.judge.latest(100);
  EXPECT_EQ(rows.back().outcome.outcome, "missed");
  EXPECT_EQ(with.judge.latest(1).size(), 1u);
}

struct Outcome {
  TrendFigures figures;
  double real_s = 0;
  detail::Report report;
};

/// `posts` posts of the demo in simulated time, at a speed.
Outcome run(std::uint64_t posts, double rate, double speed, std::uint32_t parallelism,
            std::uint64_t seed) {
  const FeedOptions feed{.posts_per_second = rate / 60, .seed = seed};
  auto judge = std::make_shared<TrendJudge>(std::make_shared<const FeedTables>(seed));
  Topology topology("posts");
  declare_posts(topology, feed, judge);
  const detail::Graph& graph = topology.declaration().graph;
  detail::SimEnv env(seed);
  detail::RunOptions options;
  options.limit = posts;
  options.speed = speed;
  detail::Simulation simulation(graph, detail::make_plan(graph, {.parallelism = parallelism}),
                                options, env, {.seed = seed});
  const auto outcome = simulation.run();
  EXPECT_TRUE(outcome) << outcome.error().to_string();
  return {judge->figures(), static_cast<double>(env.clock.steady_ns()) / 1e9, simulation.report()};
}

TEST(PostsDemo, IsPacedByTheClockOfItsEnvironment) {
  EXPECT_NEAR(run(20'000, 10'000, 60, 1, 1).real_s, 2, 0.05);
  EXPECT_NEAR(run(20'000, 10'000, 30, 1, 1).real_s, 4, 0.1);
  EXPECT_LT(run(20'000, 10'000, 0, 1, 1).real_s, 0.001);
}

TEST(PostsDemo, SeesEveryPlantedTrendSoonAndNothingElse) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Outcome at_once = run(600'000, 5'000, 0, 1, seed);  // two hours of the feed
    EXPECT_GE(at_once.figures.planted, 9u);
    EXPECT_EQ(at_once.figures.missed, 0u);
    EXPECT_GE(at_once.figures.seen + 1, at_once.figures.planted);
    EXPECT_EQ(at_once.figures.false_alarms, 0u);
    EXPECT_LE(at_once.figures.delay_s_p50, 120);
    EXPECT_LE(at_once.figures.delay_s_max, 240);
  }
}

TEST(PostsDemo, FindsTheSameInSeveralTasks) {
  const Outcome one = run(300'000, 5'000, 0, 1, 4);
  const Outcome four = run(300'000, 5'000, 0, 4, 4);
  EXPECT_GT(one.figures.seen, 2u);
  EXPECT_EQ(one.figures.planted, four.figures.planted);
  EXPECT_EQ(one.figures.seen, four.figures.seen);
  EXPECT_EQ(one.figures.delay_s_max, four.figures.delay_s_max);
  EXPECT_EQ(one.figures.false_alarms, four.figures.false_alarms);
}

}  // namespace
}  // namespace millrace::apps
