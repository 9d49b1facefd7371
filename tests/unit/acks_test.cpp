// At least once: what is acked when, what is played again, and what becomes of it in the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "folder_harness.hpp"
#include "millrace/millrace.hpp"
#include "run_harness.hpp"
#include "runtime/stepped_run.hpp"

namespace millrace {
namespace {

using detail::Ended;
using detail::PlanOptions;
using detail::RunOptions;

/// What the tasks of a test did, by all threads.
struct Seen {
  std::mutex mutex;
  std::map<int, int> times;
  int add(int value) {
    const std::lock_guard lock(mutex);
    return ++times[value];
  }
};

std::vector<int> numbers(int count) {
  std::vector<int> all;
  for (int at = 0; at < count; ++at) all.push_back(at);
  return all;
}

const detail::AckReport& acks(const Ended& ended, const std::string& source) {
  const auto& found = ended.component(source).acks;
  EXPECT_TRUE(found.has_value()) << source;
  static const detail::AckReport kNone;
  return found ? *found : kNone;
}

/// Fails for each multiple of ten until its `tries`-th time.
struct FailsAtFirst {
  std::shared_ptr<Seen> seen;
  int tries;
  int operator()(const int& value) {
    if (seen->add(value) < tries && value % 10 == 0) throw std::runtime_error("not yet");
    return value;
  }
};

struct PassesAtSecond : Bolt<int, int> {
  explicit PassesAtSecond(std::shared_ptr<Seen> all) : seen(std::move(all)) {}
  void process(const int& value, Output<int>& out) override {
    out.emit(value);
    if (value % 10 == 3 && seen->add(value) <= 2) throw std::runtime_error("not yet");
  }
  std::shared_ptr<Seen> seen;
};

struct Poisoned : Bolt<int, int> {
  void process(const int& value, Output<int>& out) override {
    if (value % 100 == 0) throw std::runtime_error("poison");
    out.emit(value);
  }
};

/// Emits what it is given, one record a call.
struct Fed : Spout<int> {
  explicit Fed(std::shared_ptr<std::vector<int>> given) : feed(std::move(given)) {}
  bool next(Output<int>& out) override {
    if (feed->empty()) return true;
    out.emit(feed->front());
    feed->erase(feed->begin());
    return true;
  }
  std::shared_ptr<std::vector<int>> feed;
};

TEST(Acks, AFailedMessageAloneIsPlayedAgain) {
  for (const bool fuse : {true, false}) {
    auto seen = std::make_shared<Seen>();
    auto written = std::make_shared<Seen>();
    Topology topology("acks");
    topology.guarantee(at_least_once);
    topology.from(records<int>({numbers(3000)}))
        .named("in")
        .map(FailsAtFirst{seen, 3})
        .named("fails")
        .to(each([written](const int& value) { written->add(value); }));
    const Ended ended = detail::simulate(topology, 7, {.fuse = fuse});
    ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
    ASSERT_EQ(written->times.size(), 3000u);
    for (const auto& [value, times] : written->times) EXPECT_EQ(times, 1) << value;
    for (const auto& [value, times] : seen->times) EXPECT_EQ(times, value % 10 == 0 ? 3 : 1);
    EXPECT_EQ(ended.component("fails").failed, 600u);
    EXPECT_EQ(ended.component("fails").dead_lettered, 0u);
    const auto& told = acks(ended, "in");
    EXPECT_EQ(told.tried, 3600u);
    EXPECT_EQ(told.acked, 3000u);
    EXPECT_EQ(told.failed, 600u);
    EXPECT_EQ(told.replayed, 600u);
    EXPECT_EQ(told.pending + told.in_hand + told.held + told.abandoned, 0u);
    EXPECT_EQ(ended.report.dead_letters, 0u);
  }
}

TEST(Acks, TheLastTryIsADeadLetterWithThePlaceOfItsMessage) {
  Topology topology("acks");
  topology.guarantee(at_least_once, {.tries_max = 4});
  auto seen = std::make_shared<Seen>();
  topology.from(records<int>({numbers(40), numbers(30)}))
      .named("in")
      .filter([seen](const int& value) {
        if (value == 35) seen->add(value);
        if (value == 35) throw std::runtime_error("never");
        return true;
      })
      .named("fails")
      .to(each([](const int&) {}));
  const Ended ended = detail::simulate(topology, 3);
  ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
  EXPECT_EQ(seen->times[35], 4);
  const auto& fails = ended.component("fails");
  EXPECT_EQ(fails.failed, 3u);
  EXPECT_EQ(fails.dead_lettered, 1u);
  EXPECT_EQ(fails.received, 73u);
  ASSERT_EQ(ended.report.recent_dead_letters.size(), 1u);
  const auto& letter = ended.report.recent_dead_letters.front();
  EXPECT_EQ(letter.component, "fails");
  EXPECT_EQ(letter.where, "in partition 0, message 35");
  EXPECT_EQ(letter.record, "35");
  ASSERT_EQ(fails.errors.size(), 1u);
  EXPECT_EQ(fails.errors.front().count, 4u);
  EXPECT_EQ(acks(ended, "in").acked, 70u) << "a message in the dead letters is handled";
}

/// What fails behind a ring, in one of several tasks, and in the sink, is played again too.
TEST(Acks, FailuresComeBackAcrossTasks) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto seen = std::make_shared<Seen>();
    auto written = std::make_shared<Seen>();
    Topology topology("acks");
    topology.guarantee(at_least_once, {.tries_max = 6, .pending_max = seed % 2 == 0 ? 16 : 0});
    const auto in = topology.from(records<int>({numbers(500), numbers(500)})).named("in");
    topology.bolt("bolt", PassesAtSecond(seen), shuffle(in)).to(each([written](const int& value) {
      if (written->add(value) == 1 && value % 7 == 0) throw std::runtime_error("not yet");
    }));
    const Ended ended =
        detail::simulate(topology, seed, {.parallelism = 3}, {.batch_records_max = 1 + seed * 7});
    ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
    ASSERT_EQ(written->times.size(), 500u);
    for (const auto& [value, times] : written->times) {
      EXPECT_EQ(times, value % 7 == 0 ? 3 : 2) << value;
    }
    EXPECT_EQ(acks(ended, "in").acked, 1000u);
    EXPECT_EQ(ended.report.dead_letters, 0u);
    if (HasFailure()) return;
  }
}

/// Windows, order buffers and records that wait for timers hold their messages until they fire.
TEST(Acks, WhatStateHoldsIsAckedWhenItIsDoneWith) {
  using detail::SteppedRun;
  auto feed = std::make_shared<std::vector<int>>();
  Topology topology("acks");
  topology.guarantee(at_least_once, {.pending_max = 4});
  topology.spout("in", Fed(feed))
      .event_time([](const int& second) { return Time{second} * 1'000'000; })
      .key_by([](const int&) { return 1; })
      .window(tumbling(10s))
      .count()
      .named("count")
      .to(each([](const auto&) {}));
  detail::SimEnv env(1);
  SteppedRun run(detail::valid_graph(topology), {}, {}, env);
  ASSERT_TRUE(run.open().ok());
  const auto told = [&](std::vector<int> seconds) {
    *feed = std::move(seconds);
    EXPECT_TRUE(run.settle().ok());
    for (const auto& part : run.report().components) {
      if (part.acks) return *part.acks;
    }
    return detail::AckReport();
  };
  auto acks = told({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(acks.held, 8u) << "more than may be pending: what is held does not count";
  EXPECT_EQ(acks.acked + acks.pending, 0u);
  ASSERT_EQ(acks.slowest.size(), 1u) << "small batches of one moment share a range";
  EXPECT_EQ(acks.slowest.front().first, "in partition 0, message 0");
  EXPECT_EQ(acks.slowest.front().messages, 8u);
  EXPECT_EQ(acks.slowest.front().moving, 0u);
  ASSERT_TRUE(run.advance(1s).ok());
  acks = told({12});
  EXPECT_EQ(acks.acked, 8u) << "the window up to 10 s has fired";
  EXPECT_EQ(acks.held, 1u);
  *feed = {};
  EXPECT_TRUE(run.stop().ok());
  acks = told({});
  EXPECT_EQ(acks.abandoned, 1u) << "its window never fires";
}

/// Has all records of the broadcast stream from their own time on.
struct Joined {
  BroadcastState<int, int> rules;
  void process(const int& second, Output<int>& out) { out.emit(second); }
  void on_broadcast(const int& rule, BroadcastContext&, Output<int>&) { rules.set(rule, rule); }
};

using Shape = std::function<Stream<int>(Topology&, const Stream<int>&)>;

/// The verbs that keep records beyond the call, each with how it is written behind a stream with
/// times.
std::map<std::string, Shape> verbs_that_wait() {
  const auto key = [](const int&) { return 1; };
  const auto rows = [](const auto& aggregates) {
    return aggregates.map([](const auto&) { return 0; });
  };
  const auto windows = [key, rows](auto spec) -> Shape {
    return [=](Topology&, const auto& in) { return rows(in.key_by(key).window(spec).count()); };
  };
  return {
      {"window", windows(sliding(10s, 5s))},
      {"late rows", windows(tumbling(10s).allowed_lateness(5s))},
      {"early rows", windows(tumbling(10s).early(every(2)))},
      {"by clock", windows(tumbling(10s).by_clock())},
      {"order", [](Topology&, const auto& in) { return in.restore_order().map(std::identity()); }},
      {"over",
       [=](Topology&, const auto& in) { return rows(in.key_by(key).over(last(3)).count()); }},
      {"top",
       [=](Topology&, const auto& in) {
         return rows(in.key_by(key).window(tumbling(10s)).count().top(3));
       }},
      {"broadcast",
       [](Topology& topology, const auto& in) {
         const auto rules = topology.from(records<int>({{1, 2}})).event_time([](const int& at) {
           return Time{at} * 1'000'000;
         });
         return in.connect(rules.broadcast(by_event_time)).process(Joined());
       }},
  };
}

TEST(Acks, EveryVerbThatKeepsRecordsHoldsTheirMessages) {
  for (const auto& [name, shape] : verbs_that_wait()) {
    auto feed = std::make_shared<std::vector<int>>();
    Topology topology("acks");
    topology.guarantee(at_least_once);
    const auto in = topology.spout("in", Fed(feed))
                        .event_time([](const int& second) { return Time{second} * 1'000'000; },
                                    {.out_of_order = 10s});
    shape(topology, in).to(each([](const int&) {}));
    detail::SimEnv env(1);
    detail::SteppedRun run(detail::valid_graph(topology), {}, {}, env);
    ASSERT_TRUE(run.open().ok()) << name;
    const auto told = [&](std::vector<int> seconds) {
      *feed = std::move(seconds);
      EXPECT_TRUE(run.settle().ok()) << name;
      EXPECT_TRUE(run.advance(100ms).ok()) << name;
      const auto report = run.report();
      const auto found = std::find_if(report.components.begin(), report.components.end(),
                                      [](const auto& part) { return part.name == "in"; });
      return *found->acks;
    };
    auto acks = told({0, 1, 2, 3, 4, 5, 6, 7});
    EXPECT_EQ(acks.held, 8u) << name;
    EXPECT_EQ(acks.acked, 0u) << name;
    EXPECT_TRUE(run.advance(15s).ok()) << name;
    EXPECT_GE(told({40}).acked, 8u) << name;
    EXPECT_TRUE(run.stop().ok()) << name;
  }
}

/// Lines that several tasks decode are messages of their block: one is picked out of it again.
TEST(Acks, ALineOfABlockIsPlayedAgainAlone) {
  const detail::FolderHarness folder;
  std::string text;
  for (int at = 0; at < 2000; ++at) text += std::to_string(at) + "\r\n";
  auto seen = std::make_shared<Seen>();
  auto written = std::make_shared<Seen>();
  Topology topology("acks");
  topology.guarantee(at_least_once);
  topology.from(lines(folder.put("numbers", text)))
      .map([seen](const std::string_view& line) {
        const int value = std::stoi(std::string(line));
        if (value % 100 == 42 && seen->add(value) == 1) throw std::runtime_error("not yet");
        return value;
      })
      .key_by(self)
      .window(global())
      .count()
      .to(each([written](const Aggregate<int, std::int64_t>& row) {
        for (std::int64_t left = row.value; left > 0; --left) written->add(row.key);
      }));
  const Ended ended = detail::run(topology, {.parallelism = 3});
  ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
  ASSERT_EQ(written->times.size(), 2000u);
  for (const auto& [value, times] : written->times) EXPECT_EQ(times, 1) << value;
  const auto& told = acks(ended, "source");
  EXPECT_EQ(told.replayed, 20u);
  EXPECT_EQ(told.acked, 2000u);
}

/// Tells what was written when it was made visible.
class FlushedSink final : public detail::Sink {
 public:
  struct Told {
    std::size_t written = 0;
    std::size_t visible = 0;
    std::size_t acked = 0;
    bool too_early = false;
  };
  explicit FlushedSink(std::shared_ptr<Told> told) : told_(std::move(told)) {}
  Status open(const EndContext&) override { return {}; }
  Status write(const BatchBase& batch) override {
    told_->written += batch.size();
    return {};
  }
  Status flush() override {
    told_->visible = told_->written;
    return {};
  }

 private:
  std::shared_ptr<Told> told_;
};

struct CountsAcks : TaskHook {
  explicit CountsAcks(std::shared_ptr<FlushedSink::Told> by) : told(std::move(by)) {}
  void settled(const AckInfo& info) override {
    EXPECT_EQ(info.component, "in");
    told->acked += info.acked;
    told->too_early |= told->acked > told->visible;
  }
  std::shared_ptr<FlushedSink::Told> told;
};

TEST(Acks, AMessageIsAckedWhenWhatWasWrittenIsVisible) {
  for (const bool fuse : {true, false}) {
    auto told = std::make_shared<FlushedSink::Told>();
    Topology topology("acks");
    topology.guarantee(at_least_once);
    topology.hook(std::make_shared<CountsAcks>(told));
    const auto in = topology.from(records<int>({numbers(5000)})).named("in");
    in.declaration().graph.add(detail::sink_node(
        "sink", "", in.inputs({}), [told] { return std::make_unique<FlushedSink>(told); }));
    const Ended ended = detail::simulate(topology, 11, {.fuse = fuse}, {.batch_records_max = 50});
    ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
    EXPECT_EQ(told->acked, 5000u);
    EXPECT_FALSE(told->too_early);
  }
}

/// One record in a hundred can never be handled: the others are not held up, and each of these is a
/// dead letter once, with the place of its message.
TEST(Acks, EveryPoisonRecordIsADeadLetterOnce) {
  constexpr int kRecords = 60'000;
  auto written = std::make_shared<Seen>();
  std::map<std::string, std::string> letters;
  Topology topology("acks");
  topology.guarantee(at_least_once);
  const auto in = topology.from(records<int>({numbers(kRecords)})).named("in");
  const auto kept = topology.bolt("bolt", Poisoned(), shuffle(in));
  kept.to(each([written](const int& value) { written->add(value); }));
  kept.errors().to(each([&letters](const DeadLetter& letter) {
    EXPECT_TRUE(letters.emplace(letter.record, letter.where).second) << letter.record;
  }));
  const Ended ended = detail::run(topology, {.parallelism = 4}, {.executors = 2});
  ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
  EXPECT_EQ(written->times.size(), kRecords - kRecords / 100u);
  ASSERT_EQ(letters.size(), kRecords / 100u);
  EXPECT_EQ(letters["4200"], "in partition 0, message 4200");
  EXPECT_EQ(ended.component("bolt").failed, 2u * kRecords / 100);
  EXPECT_EQ(ended.component("bolt").dead_lettered, kRecords / 100u);
}

/// Whenever it is stopped, it ends, and what was to be played again is a dead letter.
TEST(Acks, AStopLeavesNothingToWaitFor) {
  std::uint64_t dropped = 0;
  for (std::uint64_t at = 1; at < 200; at += 3) {
    auto seen = std::make_shared<Seen>();
    Topology topology("acks");
    topology.guarantee(at_least_once);
    const auto in = topology.from(records<int>({numbers(2000)})).named("in");
    topology.bolt("bolt", PassesAtSecond(seen), shuffle(in)).to(each([](const int&) {}));
    const detail::Graph& graph = detail::valid_graph(topology);
    detail::SimEnv env(at);
    detail::Simulation simulation(graph, detail::make_plan(graph, {.parallelism = 2}),
                                  {.batch_records_max = 40}, env, {.seed = at, .stop_at_step = at});
    const auto fingerprint = simulation.run();
    ASSERT_TRUE(fingerprint) << fingerprint.error().to_string();
    const detail::Report report = simulation.report();
    const detail::AckReport& told = *report.components.front().acks;
    EXPECT_EQ(report.dead_letters, told.failed - told.replayed + told.given_up) << at;
    dropped += report.dead_letters;
  }
  EXPECT_GT(dropped, 0u) << "some stop must meet what was to be played again";
}

}  // namespace
}  // namespace millrace
