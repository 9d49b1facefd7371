// Running rankings of each key, and samples by time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "env/random.hpp"
#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"
#include "run_harness.hpp"

namespace millrace {
namespace {

using testing::ElementsAre;

struct Score {
  Timestamp time;
  std::string_view team;
  std::string_view player;
  double points = 0;
};
using Place = RankedRecord<Score>;
using Row = std::tuple<std::uint32_t, std::string, double>;

std::vector<Row> rows_of(TestOutput<Place>& output) {
  std::vector<Row> rows;
  for (const Place& place : output.read_all())
    rows.emplace_back(place.rank, place.record.player, place.record.points);
  return rows;
}

struct Ranking {
  Topology topology{"ranking"};
  explicit Ranking(bool by_player) {
    auto scores = topology.from(records(std::vector<std::vector<Score>>{{}}))
                      .named("scores")
                      .event_time(&Score::time, {.out_of_order = 1h})
                      .key_by(&Score::team);
    auto best =
        by_player ? scores.top(2, &Score::points, &Score::player) : scores.top(2, &Score::points);
    best.named("best").to(view("Best"));
  }
};

TEST(RunningTop, TellsEachPlaceThatAnotherRecordHolds) {
  Ranking ranking(false);
  TestDriver driver(ranking.topology);
  auto scores = driver.input<Score>("scores");
  auto best = driver.output<Place>("best");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  scores.pipe({{1}, "a", "x", nan});
  EXPECT_EQ(rows_of(best).size(), 1u);
  scores.pipe({{2}, "a", "y", 5});
  scores.pipe({{3}, "b", "z", 9});
  EXPECT_THAT(rows_of(best), ElementsAre(Row{1, "y", 5}, testing::_, Row{1, "z", 9}));
  scores.pipe({{4}, "a", "v", 7});
  EXPECT_THAT(rows_of(best), ElementsAre(Row{1, "v", 7}, Row{2, "y", 5}));
  scores.pipe({{{5}, "a", "w", 5}, {{6}, "a", "u", 1}});  // as y, but later; too little
  EXPECT_TRUE(best.empty());
  scores.pipe({{1}, "a", "t", 5});  // as y, but earlier
  EXPECT_THAT(rows_of(best), ElementsAre(Row{2, "t", 5}));
}

TEST(RunningTop, OfItemsTheLatestRecordRanksAndMayFall) {
  Ranking ranking(true);
  TestDriver driver(ranking.topology);
  auto scores = driver.input<Score>("scores");
  auto best = driver.output<Place>("best");
  scores.pipe({{{1}, "a", "x", 9}, {{2}, "a", "y", 8}, {{3}, "a", "z", 7}});
  EXPECT_THAT(rows_of(best), ElementsAre(Row{1, "x", 9}, Row{2, "y", 8}));
  scores.pipe({{4}, "a", "x", 1});
  EXPECT_THAT(rows_of(best), ElementsAre(Row{1, "y", 8}, Row{2, "z", 7}));
  scores.pipe({{3}, "a", "x", 100});  // older than what is known of x
  EXPECT_TRUE(best.empty());
  scores.pipe({{5}, "a", "z", 7.5});
  EXPECT_THAT(rows_of(best), ElementsAre(Row{2, "z", 7.5}));
  scores.pipe({{6}, "a", "x", 7.5});
  EXPECT_THAT(rows_of(best), ElementsAre(Row{2, "x", 7.5}));  // ties by player
}

/// Whoever keeps the last row of each key and rank has what sorting gives.
TEST(RunningTop, AddsUpToTheSortedRanking) {
  detail::Random random(12);
  const std::vector<std::string> players = {"a", "b", "c", "d", "e", "f", "g"};
  std::vector<std::string> teams = {"red", "a team with quite a long name"};
  std::vector<Score> input;
  for (int at = 0; at < 600; ++at) {
    input.push_back({{at},
                     teams[random.below(2)],
                     players[random.below(players.size())],
                     static_cast<double>(random.below(12))});
  }
  using Standing = std::map<std::pair<std::string, std::uint32_t>, std::pair<std::string, double>>;
  Standing kept;
  std::uint64_t rows = 0;
  Topology topology("ranking");
  topology.from(records<Score>({input}))
      .event_time(&Score::time)
      .key_by(&Score::team)
      .top(3, &Score::points, &Score::player)
      .to(each([&](const Place& place) {
        ++rows;
        kept[{std::string(place.record.team), place.rank}] = {std::string(place.record.player),
                                                              place.record.points};
      }));
  ASSERT_TRUE(detail::simulate(topology, 5, {.parallelism = 2}).status.ok());
  Standing wanted;
  for (const std::string& team : teams) {
    std::map<std::string, double> latest;
    for (const Score& score : input) {
      if (score.team == team) latest[std::string(score.player)] = score.points;
    }
    std::vector<std::pair<std::string, double>> sorted(latest.begin(), latest.end());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    for (std::uint32_t rank = 1; rank <= 3; ++rank) wanted[{team, rank}] = sorted[rank - 1];
  }
  EXPECT_EQ(kept, wanted);
  EXPECT_GT(rows, 200u);
  EXPECT_LT(rows, 1'500u);
}

TEST(RunningTop, RanksRunningCountsAndShowsAPlaceOnce) {
  Topology topology("counts");
  topology.from(records(std::vector<std::vector<Score>>{{}}))
      .named("scores")
      .key_by(&Score::team, &Score::player)
      .count()
      .key_by([](const auto& row) { return std::get<0>(row.key); })
      .top(2, &Aggregate<std::tuple<std::string_view, std::string_view>, std::int64_t>::value,
           [](const auto& row) { return std::get<1>(row.key); })
      .named("best")
      .to(each([](const auto&) {}));
  TestDriver driver(topology);
  auto scores = driver.input<Score>("scores");
  auto best = driver.output<
      RankedRecord<Aggregate<std::tuple<std::string_view, std::string_view>, std::int64_t>>>(
      "best");
  scores.pipe({{{}, "a", "x"}, {{}, "a", "y"}, {{}, "a", "y"}});
  const auto rows = best.read_all();
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[2].rank, 1u);
  EXPECT_EQ(std::get<1>(rows[2].record.key), "y");
  EXPECT_EQ(rows[2].record.value, 2);
}

struct Reading {
  Timestamp time;
  std::int32_t sensor = 0;
  std::int64_t number = 0;
};

TEST(SampleByTime, KeepsTheLatestOfEachSpanWhateverTheSchedule) {
  detail::Random random(3);
  std::vector<Reading> input;
  for (int at = 0; at < 500; ++at) {
    input.push_back({{-1'000 + at * 7 - random.between(0, 50)},
                     static_cast<std::int32_t>(random.below(3)),
                     at});
  }
  for (const bool of_all : {false, true}) {
    std::map<std::pair<std::int32_t, std::int64_t>, Reading> wanted;
    for (const Reading& reading : input) {
      const std::int64_t span = (reading.time.micros + 100'000) / 40;
      auto [at, added] = wanted.try_emplace({of_all ? 0 : reading.sensor, span}, reading);
      if (!added && reading.time >= at->second.time) at->second = reading;
    }
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      std::map<std::int64_t, Reading> found;
      Topology topology("sample");
      auto readings = topology.from(records<Reading>({input}))
                          .event_time(&Reading::time, {.out_of_order = Duration(50)});
      const auto sampled = of_all ? readings.sample(every(Duration(40)))
                                  : readings.key_by(&Reading::sensor).sample(every(Duration(40)));
      sampled.to(each([&found](const Reading& reading) { found[reading.number] = reading; }));
      detail::RunOptions options;
      options.batch_records_max = 1 + random.below(30);
      ASSERT_TRUE(detail::simulate(topology, seed, {.parallelism = 2}, options).status.ok());
      ASSERT_EQ(found.size(), wanted.size());
      for (const auto& [span, reading] : wanted) ASSERT_EQ(found.count(reading.number), 1u);
    }
  }
}

TEST(SampleByTime, AndTopRefuseWhatMakesNoSense) {
  Topology topology("wrong");
  auto readings =
      topology.from(records(std::vector<std::vector<Reading>>{{}})).event_time(&Reading::time);
  readings.sample(every(std::size_t{10})).to(each([](const Reading&) {}));
  readings.key_by(&Reading::sensor).top(0, &Reading::number).to(each([](const auto&) {}));
  const auto problems = topology.declaration().graph.validate();
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_THAT(problems[0].to_string(), testing::HasSubstr("sample(every(10s))"));
  EXPECT_THAT(problems[1].to_string(), testing::HasSubstr("ask for at least 1"));
}

}  // namespace
}  // namespace millrace
