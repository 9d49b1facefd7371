// History, then live: the switch leaves no gap and takes nothing twice, whatever stops the run
// where; the watermark on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "millrace/millrace.hpp"
#include "run_harness.hpp"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Sale {
  std::int64_t second = 0;
  std::string side;
  Timestamp at;
};

std::string time_of(Time second) { return format_iso_time(second * 1'000'000); }
std::string json_of(Time second, const char* side) {
  return fmt::format("{{\"second\":{},\"side\":\"{}\",\"at\":\"{}\"}}", second, side,
                     time_of(second));
}

class HistoryThenLive : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "millrace_history_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void store(const std::string& name, const std::vector<Time>& seconds) {
    std::ofstream file(folder_ / name);
    for (const Time second : seconds) file << json_of(second, "stored") << '\n';
  }
  /// A partition for each list.
  void publish(const std::vector<std::vector<Time>>& partitions) {
    auto journal = Journal::open(real_disk(), *real_env().clock, folder_ / "j", {});
    ASSERT_TRUE(journal.has_value()) << journal.error().to_string();
    auto topic = (*journal)->create_topic(
        "sales", {.partitions = static_cast<std::uint32_t>(partitions.size())});
    ASSERT_TRUE(topic.has_value()) << topic.error().to_string();
    for (std::uint32_t at = 0; at < partitions.size(); ++at) {
      for (const Time second : partitions[at]) append(**topic, at, second);
    }
  }
  static void append(Topic& topic, std::uint32_t partition, Time second) {
    const std::string value = json_of(second, "live");
    std::vector<JournalRecord> records(1);
    records[0].time = second * 1'000'000;
    records[0].value = value;
    ASSERT_TRUE(topic.log(partition)->append(records).has_value());
  }
  SourceOf<Sale> source(const std::string& at, const std::string& pattern = "*.jsonl",
                        bool follow = false) {
    return history(json_lines<Sale>((folder_ / pattern).string()), &Sale::at)
        .then(journal<Sale>(folder_ / "j", "sales", {.follow = follow}), at);
  }

  /// Polls so often; `goes_on`: from `positions`, where it leaves the new ones.
  void take(const std::string& at, int polls, bool goes_on, std::vector<SourcePosition>& positions,
            std::vector<std::string>& taken) {
    EndContext context;
    context.env = &real_env();
    context.batch_records_max = 2;
    const auto reader = source(at).make();
    ASSERT_TRUE(reader->open(context));
    EXPECT_TRUE(reader->replayable());
    if (goes_on) ASSERT_TRUE(reader->resume(positions));
    for (Poll last = Poll::ready; polls > 0 && last != Poll::ended; --polls) {
      Batch<Sale> batch;
      const auto polled = reader->poll(batch);
      ASSERT_TRUE(polled);
      last = *polled;
      for (const Sale& sale : batch.values)
        taken.push_back(fmt::format("{} {}", sale.side, sale.second));
    }
    positions.clear();
    reader->save_positions(positions);
  }
  /// What a run without a stop takes, sorted; those that are stopped anywhere must take the same.
  std::vector<std::string> goes_on_wherever_stopped(const std::string& at) {
    std::vector<std::string> wanted;
    std::vector<SourcePosition> end;
    take(at, 99, false, end, wanted);
    std::sort(wanted.begin(), wanted.end());
    for (int first = 0; first < 24; ++first) {
      for (int second = 0; second < 24; second += 3) {
        std::vector<std::string> taken;
        std::vector<SourcePosition> positions;
        take(at, first, false, positions, taken);
        take(at, second, true, positions, taken);
        take(at, 99, true, positions, taken);
        std::sort(taken.begin(), taken.end());
        EXPECT_EQ(taken, wanted) << "stopped after " << first << " and " << second;
      }
    }
    return wanted;
  }

  /// "stored 3": each record once, in the order of time.
  std::vector<std::string> read(const SourceOf<Sale>& from, RunOptions options = {}) {
    std::vector<std::pair<Time, std::string>> found;
    Topology topology("reads");
    topology.from(from).event_time(&Sale::at).to(each([&](const Sale& sale) {
      found.emplace_back(sale.second, fmt::format("{} {}", sale.side, sale.second));
    }));
    ended_ = run(topology, {}, options);
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> texts;
    for (auto& [second, text] : found) texts.push_back(std::move(text));
    return texts;
  }

  std::filesystem::path folder_;
  Ended ended_;
};

TEST_F(HistoryThenLive, TheSwitchBelongsToTheLiveSideAlone) {
  store("a.jsonl", {1, 2, 3, 4, 5, 6});
  publish({{3, 4, 5, 6, 7, 8}});
  const auto wanted = ElementsAre("stored 1", "stored 2", "stored 3", "stored 4", "live 5",
                                  "live 6", "live 7", "live 8");
  EXPECT_THAT(read(source(time_of(5))), wanted);
  EXPECT_TRUE(ended_.status) << ended_.status.to_string();
  EXPECT_THAT(read(source(time_of(5)), {.speed = 100}), wanted);
  EXPECT_THAT(read(source(time_of(5)), {.batch_records_max = 1}), wanted);
  EXPECT_EQ(ended_.component("event_time").late, 0u);
}

TEST_F(HistoryThenLive, BothSidesMayBeOutOfOrderAcrossTheSwitch) {
  store("a.jsonl", {1, 6, 2, 5, 4, 3});
  store("b.jsonl", {});
  store("c.jsonl", {2, 9});
  publish({{4, 6, 3, 5, 8, 1, 7}, {}, {5, 2}});
  EXPECT_THAT(read(source(time_of(5))),
              ElementsAre("stored 1", "stored 2", "stored 2", "stored 3", "stored 4", "live 5",
                          "live 5", "live 6", "live 7", "live 8"));
}

TEST_F(HistoryThenLive, EitherSideMayHaveNothing) {
  store("a.jsonl", {1, 2});
  publish({{7}, {}});
  EXPECT_THAT(read(source(time_of(5))), ElementsAre("stored 1", "stored 2", "live 7"));
  EXPECT_THAT(read(source(time_of(1))), ElementsAre("live 7"));
  EXPECT_THAT(read(source(time_of(9))), ElementsAre("stored 1", "stored 2"));
}

/// A run that ends after any number of polls, in history, at the switch or behind it: the next one
/// gives the rest, also when that is stopped again.
TEST_F(HistoryThenLive, ARunGoesOnWhereverTheOneBeforeWasStopped) {
  store("a.jsonl", {1, 2, 3, 4, 5, 6, 7});
  store("b.jsonl", {2, 4, 8});
  publish({{4, 5, 6, 7, 8, 9}, {5, 3, 6}});
  EXPECT_EQ(goes_on_wherever_stopped(time_of(5)).size(), 4u + 2u + 5u + 2u);
}

/// The same where the switch is an offset: all of history, and of each partition what stands there
/// and behind it.
TEST_F(HistoryThenLive, ARunGoesOnWhereverItWasStoppedAlsoAtAnOffset) {
  store("a.jsonl", {1, 2, 3, 4, 5, 6, 7});
  store("b.jsonl", {2, 4, 8});
  publish({{4, 5, 6, 7, 8, 9}, {5, 3, 6}});
  const std::vector<std::string> taken = goes_on_wherever_stopped("2");
  EXPECT_EQ(taken.size(), 7u + 3u + 4u + 1u);
  EXPECT_EQ(std::count(taken.begin(), taken.end(), "live 6"), 2) << "the first of both";
  EXPECT_EQ(std::count(taken.begin(), taken.end(), "live 5"), 0) << "before the switch";
}

TEST_F(HistoryThenLive, AtAnOffsetTimesSayNothing) {
  store("a.jsonl", {1, 6, 2, 9});
  publish({{1, 2, 4, 3, 8}});
  const auto wanted =
      ElementsAre("stored 1", "stored 2", "live 3", "live 4", "stored 6", "live 8", "stored 9");
  EXPECT_THAT(read(source("2")), wanted);
  EXPECT_TRUE(ended_.status) << ended_.status.to_string();
  EXPECT_EQ(ended_.component("event_time").late, 0u) << "event time waits for the journal";
  EXPECT_THAT(read(source("2"), {.batch_records_max = 1}), wanted);
  EXPECT_THAT(read(source("5")), ElementsAre("stored 1", "stored 2", "stored 6", "stored 9"))
      << "of what is to come";
}

TEST_F(HistoryThenLive, AtAnOffsetAPartMayBeReplayed) {
  store("a.jsonl", {1, 2, 3, 4});
  publish({{1, 2, 3, 4, 5, 6, 7, 8}});
  const auto part = [](Time from, Time until) {
    return RunOptions{
        .range = {*parse_replay_bound(time_of(from)), *parse_replay_bound(time_of(until))}};
  };
  EXPECT_THAT(read(source("4"), part(4, 6)), ElementsAre("stored 4", "live 5"));
  EXPECT_THAT(read(source("4"), part(2, 4)), ElementsAre("stored 2", "stored 3"));
  EXPECT_THAT(read(source("4"), part(6, 8)), ElementsAre("live 6", "live 7"));
}

TEST_F(HistoryThenLive, APartOfItMayBeReplayed) {
  store("a.jsonl", {1, 2, 3, 4, 5, 6});
  publish({{3, 4, 5, 6, 7, 8}});
  const auto part = [](Time from, Time until) {
    return RunOptions{
        .range = {*parse_replay_bound(time_of(from)), *parse_replay_bound(time_of(until))}};
  };
  EXPECT_THAT(read(source(time_of(5)), part(4, 6)), ElementsAre("stored 4", "live 5"));
  EXPECT_THAT(read(source(time_of(5)), part(6, 8)), ElementsAre("live 6", "live 7"));
  EXPECT_THAT(read(source(time_of(5), "*.jsonl", true), part(2, 8)).size(), 6u);
}

/// Windows of history fire while it is read, the one of the switch waits for the live side, and the
/// live partitions hold none back.
TEST_F(HistoryThenLive, WindowsFireByTheSideThatIsRead) {
  store("a.jsonl", {1, 2, 11, 12, 21, 22, 23});
  publish({{24, 25, 31}, {}});
  std::vector<std::string> rows;
  std::mutex mutex;
  Topology topology("windows");
  topology.from(source(time_of(23), "*.jsonl", true))
      .event_time(&Sale::at)
      .key_by([](const Sale&) { return 0; })
      .window(tumbling(10s))
      .count()
      .to(each([&](const auto& row) {
        const std::lock_guard lock(mutex);
        rows.push_back(fmt::format("{}: {}", row.window_start / 1'000'000, row.value));
      }));
  const Graph& graph = valid_graph(topology);
  Engine engine(make_plan(graph, {}), {}, real_env());
  ASSERT_TRUE(engine.start());
  const auto so_far = [&](std::size_t count) {
    for (int looks = 0; looks < 3000; ++looks) {
      (void)engine.wait_for(10ms);
      const std::lock_guard lock(mutex);
      if (rows.size() >= count) return rows;
    }
    return rows;
  };
  EXPECT_THAT(so_far(2), ElementsAre("0: 2", "10: 2"));
  {
    auto journal = Journal::open(real_disk(), *real_env().clock, folder_ / "j", {});
    append(**(*journal)->topic("sales"), 1, 40);  // the other partition still stands at 31
  }
  EXPECT_THAT(so_far(3), ElementsAre("0: 2", "10: 2", "20: 4"));
  engine.request_stop();
  EXPECT_TRUE(engine.finish());
}

TEST_F(HistoryThenLive, WhatCannotBeIsRefused) {
  const auto problem = [&](const SourceOf<Sale>& from) {
    Topology topology("wrong");
    topology.from(from).to(each([](const Sale&) {}));
    const auto problems = topology.declaration().graph.validate();
    EXPECT_EQ(problems.size(), 1u);
    return problems.empty() ? std::string() : problems.front().to_string();
  };
  EXPECT_THAT(problem(source("noon")), HasSubstr("the switch is a time"));
  EXPECT_THAT(problem(source("latest")), HasSubstr("or an offset"));
  const auto files = history(json_lines<Sale>("a.jsonl"), &Sale::at);
  EXPECT_THAT(problem(files.then(json_lines<Sale>("b.jsonl"), time_of(5))), HasSubstr("a journal"));
  EXPECT_THAT(problem(files.then(journal<Sale>("j", "sales", {.tasks = 2}), time_of(5))),
              HasSubstr("one task reads both"));
}

}  // namespace
}  // namespace millrace::detail
