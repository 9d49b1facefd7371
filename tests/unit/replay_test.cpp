// Replays of a part of the input: bounds by time and offset, the same results at any speed, the
// order of partitions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "env/sim_env.hpp"
#include "journal/journal.hpp"
#include "millrace/millrace.hpp"
#include "run_harness.hpp"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Visit {
  std::int64_t number = 0;
  Timestamp at;
};

std::string time_of(Time second) { return format_iso_time(second * 1'000'000); }

ReplayRange range(const std::string& from, const std::string& until) {
  return {parse_replay_bound(from).value_or(ReplayBound{}),
          parse_replay_bound(until).value_or(ReplayBound{})};
}

class Replay : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "millrace_replay_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ / "j";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// A partition for each list of whole seconds; the number of a record is its second.
  void write(const std::vector<std::vector<Time>>& partitions) {
    auto journal = Journal::open(real_disk(), *real_env().clock, path_, {});
    ASSERT_TRUE(journal.has_value()) << journal.error().to_string();
    const auto topic = (*journal)->create_topic(
        "visits", {.partitions = static_cast<std::uint32_t>(partitions.size())});
    ASSERT_TRUE(topic.has_value()) << topic.error().to_string();
    for (std::uint32_t at = 0; at < partitions.size(); ++at) {
      for (const Time second : partitions[at]) append(**topic, at, second);
    }
  }
  static void append(Topic& topic, std::uint32_t partition, Time second) {
    const std::string value =
        fmt::format("{{\"number\":{},\"at\":\"{}\"}}", second, time_of(second));
    std::vector<JournalRecord> records(1);
    records[0].time = second * 1'000'000;
    records[0].value = value;
    ASSERT_TRUE(topic.log(partition)->append(records).has_value());
  }

  /// The numbers that a run of that part reads, sorted.
  std::vector<std::int64_t> read(const std::string& from, const std::string& until,
                                 JournalReading options = {}) {
    std::vector<std::int64_t> found;
    std::mutex mutex;
    Topology topology("reads");
    options.follow = false;
    topology.from(journal<Visit>(path_, "visits", options)).to(each([&](const Visit& visit) {
      const std::lock_guard lock(mutex);
      found.push_back(visit.number);
    }));
    ended_ = run(topology, {}, {.range = range(from, until)});
    std::sort(found.begin(), found.end());
    return found;
  }

  std::filesystem::path folder_;
  std::string path_;
  Ended ended_;
};

TEST_F(Replay, ARecordAtFromIsReadAndOneAtUntilIsNot) {
  write({{1, 2, 3, 4, 5, 6}});
  EXPECT_THAT(read(time_of(2), time_of(5)), ElementsAre(2, 3, 4));
  EXPECT_THAT(read("1", "4"), ElementsAre(2, 3, 4));
  EXPECT_THAT(read("", time_of(3)), ElementsAre(1, 2));
  EXPECT_THAT(read(time_of(6), ""), ElementsAre(6));
  EXPECT_THAT(read("4", "latest"), ElementsAre(5, 6));
  EXPECT_THAT(read("earliest", "2"), ElementsAre(1, 2));
}

TEST_F(Replay, NothingMayLieInThePart) {
  write({{1, 2, 5, 6}});
  EXPECT_THAT(read(time_of(3), time_of(5)), IsEmpty());
  EXPECT_THAT(read("2", "2"), IsEmpty());
  EXPECT_THAT(read(time_of(9), ""), IsEmpty());
  EXPECT_THAT(read("", time_of(1)), IsEmpty());
  EXPECT_TRUE(ended_.status) << ended_.status.to_string();
}

TEST_F(Replay, EachPartitionHasItsOwnBounds) {
  write({{1, 2, 3, 4, 5, 6}, {3}, {}, {10, 11}});
  EXPECT_THAT(read(time_of(2), time_of(5)), ElementsAre(2, 3, 3, 4));
  EXPECT_THAT(read(time_of(5), time_of(11)), ElementsAre(5, 6, 10));
}

TEST_F(Replay, WhatTheRunSaysGoesBeforeWhatTheSourceSays) {
  write({{1, 2, 3, 4, 5, 6}});
  const JournalReading own{.from = "4", .until = time_of(6)};
  EXPECT_THAT(read("", "", own), ElementsAre(5));
  EXPECT_THAT(read("1", "", own), ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(read("", "latest", own), ElementsAre(5, 6));
  read("", "", {.until = "earliest"});
  EXPECT_EQ(ended_.status.code(), Code::parameter_invalid);
}

/// However the times are out of order, what one run leaves is what the next one takes.
TEST_F(Replay, PartsThatMeetReadEachRecordOnce) {
  std::vector<Time> seconds;
  for (Time at = 0; at < 200; ++at) seconds.push_back((at * 37 + at % 7 * 11) % 190);
  write({seconds, {5, 3, 8, 1}});
  const std::vector<std::int64_t> all = read("", "");
  ASSERT_EQ(all.size(), 204u);
  for (Time at = 0; at < 192; at += 13) {
    std::vector<std::int64_t> parts = read("", time_of(at));
    const std::vector<std::int64_t> rest = read(time_of(at), "");
    parts.insert(parts.end(), rest.begin(), rest.end());
    std::sort(parts.begin(), parts.end());
    EXPECT_EQ(parts, all) << "at " << at;
  }
}

TEST_F(Replay, AnOpenJournalEndsAtTheBoundAsAFinishedInput) {
  write({{1, 2}, {1}});
  std::vector<std::int64_t> counts;
  Topology topology("follows");
  topology.from(journal<Visit>(path_, "visits"))
      .event_time(&Visit::at)
      .key_by([](const Visit&) { return 0; })
      .window(tumbling(10s))
      .count()
      .to(each([&](const auto& row) { counts.push_back(row.value); }));
  const Graph& graph = valid_graph(topology);
  Engine engine(make_plan(graph, {}), {.range = range("", time_of(8))}, real_env());
  ASSERT_TRUE(engine.start());
  auto journal = Journal::open(real_disk(), *real_env().clock, path_, {});
  Topic& topic = **(*journal)->topic("visits");
  append(topic, 0, 7);
  append(topic, 0, 8);
  append(topic, 1, 30);
  ASSERT_TRUE(engine.wait_for(std::chrono::seconds(30)));
  EXPECT_TRUE(engine.finish());
  EXPECT_THAT(counts, ElementsAre(4));
}

/// Seconds of several partitions; what is not of the part is passed over behind event_time.
struct Passed {
  Ended ended;
  std::vector<std::int64_t> found;
};
Passed pass(const ReplayRange& part, double speed = 0) {
  Passed passed;
  Topology topology("passes");
  std::vector<std::vector<Visit>> visits(2);
  for (Time at = 0; at < 40; ++at) visits[0].push_back({at, {at * 1'000'000}});
  for (Time at = 0; at < 40; at += 4) visits[1].push_back({at, {at * 1'000'000}});
  topology.from(records(visits)).event_time(&Visit::at).to(each([&](const Visit& visit) {
    passed.found.push_back(visit.number);
  }));
  passed.ended = simulate(topology, 7, {}, {.batch_records_max = 8, .speed = speed, .range = part});
  return passed;
}

TEST(ReplayOfFiles, RecordsOfOtherTimesArePassedOver) {
  for (const double speed : {0.0, 10.0}) {
    Passed passed = pass(range(time_of(10), time_of(13)), speed);
    EXPECT_TRUE(passed.ended.status) << passed.ended.status.to_string();
    std::sort(passed.found.begin(), passed.found.end());
    EXPECT_THAT(passed.found, ElementsAre(10, 11, 12, 12));
    const ComponentReport& time = passed.ended.component("event_time");
    EXPECT_EQ(time.filtered, 46u);
    EXPECT_EQ(time.processed, 4u);
    EXPECT_EQ(time.received, 50u);
    EXPECT_EQ(time.late, 0u);
  }
}

TEST(ReplayOfFiles, WhatTheyDoNotHaveIsRefused) {
  const Status status = pass(range("5", "")).ended.status;
  EXPECT_EQ(status.code(), Code::option_invalid);
  EXPECT_THAT(status.to_string(), HasSubstr("has no offsets"));
  EXPECT_TRUE(pass(range("earliest", "")).ended.status);
  Topology topology("untimed");
  topology.from(records(std::vector<std::vector<Visit>>{{{1, {}}}})).to(each([](const Visit&) {}));
  const Status untimed = simulate(topology, 7, {}, {.range = range(time_of(5), "")}).status;
  EXPECT_EQ(untimed.code(), Code::option_invalid);
  EXPECT_THAT(untimed.to_string(), HasSubstr("no event time"));
}

/// Partitions that overlap, the second one also longer; in batches of eight.
std::vector<std::vector<Visit>> overlapping() {
  std::vector<std::vector<Visit>> visits(3);
  for (Time at = 0; at < 300; ++at) {
    visits[0].push_back({at, {at * 1'000'000 + 3}});
    if (at % 3 == 0) visits[1].push_back({at, {at * 1'000'000 + 1}});
    if (at < 20) visits[2].push_back({at, {at * 1'000'000 + 2}});
  }
  return visits;
}

TEST(ReplayOfPartitions, RecordsComeInTheOrderOfTime) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    std::vector<Time> times;
    Topology topology("paced");
    topology.from(records(overlapping())).event_time(&Visit::at).to(each([&](const Visit& visit) {
      times.push_back(visit.at.micros);
    }));
    const Ended ended = simulate(topology, seed, {}, {.batch_records_max = 8, .speed = 100});
    EXPECT_TRUE(ended.status) << ended.status.to_string();
    EXPECT_EQ(times.size(), 420u);
    EXPECT_TRUE(std::is_sorted(times.begin(), times.end())) << "seed " << seed;
  }
}

TEST_F(Replay, PartitionsOfAJournalAreReplayedInTheOrderOfTime) {
  std::vector<std::vector<Time>> seconds(2);
  for (Time at = 0; at < 400; ++at) seconds[static_cast<std::size_t>(at / 3 % 2)].push_back(at);
  write(seconds);
  std::vector<std::int64_t> found;
  Topology topology("paced");
  topology.from(journal<Visit>(path_, "visits", {.follow = false}))
      .event_time(&Visit::at)
      .to(each([&](const Visit& visit) { found.push_back(visit.number); }));
  EXPECT_TRUE(run(topology, {}, {.batch_records_max = 64, .speed = 10000}).status);
  EXPECT_EQ(found.size(), 400u);
  EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
}

TEST(ReplayOfPartitions, ResultsAreTheSameAtAnySpeed) {
  using Counts = std::map<std::pair<std::int64_t, Time>, std::int64_t>;
  const auto counts_of = [](double speed, std::uint32_t parallelism) {
    Counts counts;
    std::mutex mutex;
    Topology topology("counts");
    topology.from(records(overlapping()))
        .event_time(&Visit::at)
        .key_by([](const Visit& visit) { return visit.number % 5; })
        .window(tumbling(10s))
        .count()
        .to(each([&](const auto& row) {
          const std::lock_guard lock(mutex);
          counts[{row.key, row.window_start}] += row.value;
        }));
    const Ended ended =
        run(topology, {.parallelism = parallelism},
            {.batch_records_max = 8, .speed = speed, .range = range(time_of(33), time_of(271))});
    EXPECT_TRUE(ended.status) << ended.status.to_string();
    return counts;
  };
  const Counts wanted = counts_of(0, 1);
  std::int64_t all = 0;
  for (const auto& [window, count] : wanted) all += count;
  EXPECT_EQ(all, 238 + 80);
  for (const std::uint32_t parallelism : {1u, 3u}) {
    EXPECT_EQ(counts_of(1000, parallelism), wanted);
    EXPECT_EQ(counts_of(0, parallelism), wanted);
  }
}

}  // namespace
}  // namespace millrace::detail
