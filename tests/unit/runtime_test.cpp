// Tests of whole small runs: user code that throws, slow and failing sinks, tasks that get records.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "run_harness.hpp"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

struct Item {
  std::int64_t time = 0;
  std::string_view name;
  std::int64_t number = 0;
};

std::vector<std::vector<Item>> numbers(std::int64_t count) {
  static constexpr std::array<std::string_view, 4> kNames = {"a", "bb", "ccc", "dddd"};
  std::vector<Item> items;
  for (std::int64_t at = 0; at < count; ++at) {
    items.push_back({at, kNames[static_cast<std::size_t>(at % 4)], at});
  }
  return {items};
}

void refuse(const Item& item) {
  if (item.number % 10 == 3)
    throw std::runtime_error("does not like " + std::to_string(item.number));
}

struct Doubler : Bolt<Item, Item> {
  void process(const Item& item, Output<Item>& out) override {
    out.emit(item);
    refuse(item);  // what was emitted for this record must not be seen
    out.emit(item);
  }
};

/// 100 records of which ten throw in the component "bad".
void expect_ten_dead(const Ended& done, std::uint64_t emitted) {
  EXPECT_TRUE(done.status.ok()) << done.status.to_string();
  EXPECT_TRUE(check_counts(done.report, true).ok()) << check_counts(done.report, true).to_string();
  const ComponentReport& bad = done.component("bad");
  EXPECT_EQ(bad.received, 100u);
  EXPECT_EQ(bad.dead_lettered, 10u);
  EXPECT_EQ(bad.emitted, emitted);
  EXPECT_EQ(done.report.dead_letters, 10u);
  ASSERT_EQ(done.report.recent_dead_letters.size(), 10u);
  const DeadLetterReport& newest = done.report.recent_dead_letters.front();
  EXPECT_EQ(newest.component, "bad");
  EXPECT_EQ(newest.reason, "does not like 93");
  EXPECT_THAT(newest.record, HasSubstr("\"number\":93"));
}

/// Runs `declare(stream) -> Stream<Item>` over batches of several sizes and checks what came out.
template <class Declare>
void expect_survivors(Declare declare, int copies) {
  for (const std::size_t batch : {1u, 7u, 1024u}) {
    Topology topology("x");
    std::vector<std::int64_t> seen;
    declare(topology, topology.from(records(numbers(100))).event_time(&Item::time))
        .named("bad")
        .to(each([list = &seen](const Item& item) { list->push_back(item.number); }));
    const Ended done = run(topology, {}, {.batch_records_max = batch});
    expect_ten_dead(done, static_cast<std::uint64_t>(90 * copies));
    std::vector<std::int64_t> wanted;
    for (std::int64_t at = 0; at < 100; ++at) {
      if (at % 10 != 3) wanted.insert(wanted.end(), static_cast<std::size_t>(copies), at);
    }
    EXPECT_EQ(seen, wanted);
  }
}

TEST(UserCodeThatThrows, Map) {
  expect_survivors(
      [](Topology&, const Stream<Item>& in) {
        return in.map([](const Item& item) { return refuse(item), item; });
      },
      1);
}
TEST(UserCodeThatThrows, Filter) {
  expect_survivors(
      [](Topology&, const Stream<Item>& in) {
        return in.filter([](const Item& item) { return refuse(item), true; });
      },
      1);
}
TEST(UserCodeThatThrows, FlatMapsEmitsOfTheRecordAreWithdrawn) {
  expect_survivors(
      [](Topology&, const Stream<Item>& in) {
        return in.flat_map(
            [](const Item& item, Output<Item>& out) { Doubler().process(item, out); });
      },
      2);
}
TEST(UserCodeThatThrows, BoltsEmitsOfTheRecordAreWithdrawn) {
  expect_survivors(
      [](Topology& topology, const Stream<Item>& in) {
        return topology.bolt("bad", Doubler{}, shuffle(in));
      },
      2);
}
TEST(UserCodeThatThrows, Branch) {
  Topology topology("x");
  std::atomic<int> seen = 0;
  const auto count = [&seen](const Item&) { ++seen; };
  const auto parts = topology.from(records(numbers(100))).branch([](const Item& item) {
    return refuse(item), item.number % 2 == 0;
  });
  topology.declaration().graph.rename(1, "bad");
  parts[0].to(each(count));
  parts[1].to(each(count));
  expect_ten_dead(run(topology), 90);
  EXPECT_EQ(seen, 90);
}

using Sums = std::map<std::string, std::int64_t>;
auto into(Sums& sums) {
  return each([&sums](const auto& row) { sums[std::string(row.key)] = row.value; });
}

/// The fold changes its value before it throws: the value must be as before all the same.
struct Greedy {
  void operator()(std::int64_t& sum, const Item& item) const {
    sum += item.number;
    refuse(item);
  }
};

TEST(UserCodeThatThrows, AFoldsValueIsAsBefore) {
  Sums wanted;
  const auto input = numbers(100);
  for (const Item& item : input[0]) {
    if (item.number % 10 != 3) wanted[std::string(item.name)] += item.number;
  }
  const auto merge = [](std::int64_t& sum, const std::int64_t& more) { sum += more; };
  for (const int way : {0, 1, 2}) {
    Topology topology("x");
    Sums sums;
    const auto keyed =
        topology.from(records(numbers(100))).event_time(&Item::time).key_by(&Item::name);
    if (way == 0) keyed.fold(std::int64_t{0}, Greedy{}).named("bad").to(into(sums));
    if (way == 1)
      keyed.window(global()).fold(std::int64_t{0}, Greedy{}, merge).named("bad").to(into(sums));
    if (way == 2)
      keyed.window(tumbling(1s)).fold(std::int64_t{0}, Greedy{}).named("bad").to(into(sums));
    expect_ten_dead(run(topology), way == 0 ? 90 : 4);
    EXPECT_EQ(sums, wanted) << way;
  }
}

/// Without merge each window folds for itself: a record that one of its windows refuses is in none.
TEST(UserCodeThatThrows, ARecordThatOneWindowRefusesIsInNone) {
  Topology topology("x");
  std::vector<std::pair<Time, std::int64_t>> windows;
  topology.from(records<Item>({{{5, "a", 1}, {15, "a", 2}}}))
      .event_time(&Item::time)
      .key_by(&Item::name)
      .window(sliding(20us, 10us))
      .fold(std::int64_t{0},
            [](std::int64_t& count, const Item&) {
              if (count == 1) throw std::runtime_error("one is enough");
              ++count;
            })
      .to(each([&windows](const auto& row) { windows.emplace_back(row.window_end, row.value); }));
  const Ended done = run(topology);
  EXPECT_THAT(windows, UnorderedElementsAre(std::pair<Time, std::int64_t>(10, 1),
                                            std::pair<Time, std::int64_t>(20, 1)));
  EXPECT_EQ(done.report.dead_letters, 1u);
  EXPECT_EQ(done.report.recent_dead_letters.size(), 1u);
}

TEST(UserCodeThatThrows, AKeyWhoseOnlyRecordThrewHasNoValue) {
  for (const bool windowed : {false, true}) {
    Topology topology("x");
    Sums sums;
    const std::vector<std::vector<Item>> two = {{{0, "fine", 1}, {1, "never", 3}}};
    const auto keyed = topology.from(records(two)).key_by(&Item::name);
    if (windowed) {
      keyed.window(global()).fold(std::int64_t{0}, Greedy{}).to(into(sums));
    } else {
      keyed.fold(std::int64_t{0}, Greedy{}).to(into(sums));
    }
    EXPECT_TRUE(run(topology).status.ok());
    EXPECT_EQ(sums, (Sums{{"fine", 1}})) << windowed;
  }
}

/// Keys that a function makes anew live no longer than the call.
TEST(Keys, MadeByAFunctionAreOwnedByWhatIsEmitted) {
  Topology topology("x");
  Sums sums;
  topology.from(records(numbers(1000)))
      .key_by([](const Item& item) { return "a key of its own: " + std::string(item.name); })
      .count()
      .to(into(sums));
  EXPECT_TRUE(run(topology, {.parallelism = 2}).status.ok());
  EXPECT_EQ(sums, (Sums{{"a key of its own: a", 250},
                        {"a key of its own: bb", 250},
                        {"a key of its own: ccc", 250},
                        {"a key of its own: dddd", 250}}));
}

struct Located : Bolt<Item, Item> {
  explicit Located(std::shared_ptr<std::array<std::atomic<int>, 8>> shared)
      : counts(std::move(shared)) {}
  void prepare(TaskContext& context) override { task = context.index(); }
  void process(const Item& item, Output<Item>& out) override {
    ++(*counts)[static_cast<std::size_t>(task)];
    out.emit(item);
  }
  std::shared_ptr<std::array<std::atomic<int>, 8>> counts;
  int task = 0;
};

TEST(Tasks, EachOfNReceivesRecords) {
  for (const int tasks : {1, 2, 4, 8}) {
    Topology topology("x");
    auto counts = std::make_shared<std::array<std::atomic<int>, 8>>();
    topology
        .bolt("wide", Located(counts), shuffle(topology.from(records(numbers(4000)))),
              {.tasks = tasks})
        .to(each([](const Item&) {}));
    const Ended done = run(topology, {}, {.executors = 3, .batch_records_max = 64});
    EXPECT_EQ(done.component("wide").tasks, static_cast<std::uint32_t>(tasks));
    for (int task = 0; task < 8; ++task) {
      const int got = (*counts)[static_cast<std::size_t>(task)];
      // By load, and so not evenly: but nobody who keeps up is left out.
      if (task < tasks) {
        EXPECT_GT(got, 0) << task << " of " << tasks;
      } else {
        EXPECT_EQ(got, 0);
      }
    }
  }
}

/// What a source has read beyond what a slow sink took is bounded by rings and batches, not by the
/// input.
TEST(Backpressure, ASlowSinkBoundsWhatIsQueuedAndLosesNothing) {
  constexpr std::size_t kBatch = 10;
  constexpr std::size_t kRing = 2;
  Topology topology("x");
  std::atomic<std::uint64_t> taken = 0;
  std::vector<std::int64_t> order;
  topology.from(records(numbers(3000))).to(each([&](const Item& item) {
    order.push_back(item.number);
    if (++taken % 100 == 0) std::this_thread::sleep_for(1ms);
  }));
  const Graph& graph = topology.declaration().graph;
  Engine engine(make_plan(graph, {.fuse = false}),
                {.executors = 2, .batch_records_max = kBatch, .ring_batches_max = kRing},
                real_env());
  ASSERT_TRUE(engine.start().ok());
  std::uint64_t most = 0;
  while (!engine.wait_for(100us)) {
    Report report;
    engine.graph().fill(graph, report);
    most = std::max(most, report.edges.front().queued);
  }
  ASSERT_TRUE(engine.finish().ok());
  // The ring, the open batch, and what one step may add before it sees that the ring is full.
  EXPECT_LE(most, kBatch * (kRing + 2));
  EXPECT_GE(most, kBatch);
  ASSERT_EQ(order.size(), 3000u);
  for (std::size_t at = 0; at < order.size(); ++at) {
    ASSERT_EQ(order[at], static_cast<std::int64_t>(at));
  }
}

/// Steps alone: a receiver that never steps stops its sender for good.
TEST(Backpressure, AStuckReceiverStopsTheSource) {
  Topology topology("x");
  topology.from(records(numbers(10'000))).to(each([](const Item&) {}));
  const Graph& graph = topology.declaration().graph;
  SimEnv env(1);
  TaskGraph tasks(make_plan(graph, {.fuse = false}),
                  {.batch_records_max = 10, .ring_batches_max = 4}, env.env());
  ASSERT_TRUE(tasks.open().ok());
  Step last = Step::ready;
  for (int at = 0; at < 1000; ++at) last = tasks.tasks()[0]->step(16, false);
  EXPECT_EQ(last, Step::blocked);
  Report report;
  tasks.fill(graph, report);
  EXPECT_LE(report.edges.front().queued, 10u * (4 + 2));
  EXPECT_TRUE(check_counts(report, false).ok());
  EXPECT_FALSE(check_counts(report, true).ok());
  EXPECT_TRUE(tasks.close().ok());
}

/// A score that throws while a window fires: no single record can be set aside.
struct FailingScore {
  std::int64_t operator()(std::int64_t count) const {
    if (count >= 0) throw std::runtime_error("the disk is gone");
    return count;
  }
};

TEST(Failure, WhatThrowsOutsideOfARecordEndsTheRunWithItsText) {
  for (const bool fuse : {true, false}) {
    for (const std::uint32_t executors : {1u, 3u}) {
      Topology topology("x");
      topology
          .bolt("wide", Doubler{}, shuffle(topology.from(records(numbers(50'000)))), {.tasks = 2})
          .key_by(&Item::number)
          .window(global())
          .count()
          .top(1, FailingScore{})
          .to(each([](const auto&) {}));
      const Ended done =
          run(topology, {.fuse = fuse},
              {.executors = executors, .batch_records_max = 16, .ring_batches_max = 2});
      EXPECT_EQ(done.status.code(), Code::user_code_failed);
      EXPECT_THAT(done.status.message(), HasSubstr("the disk is gone"));
    }
  }
}

TEST(Failure, ARecordAtWhichASinkFunctionThrowsIsADeadLetter) {
  Topology topology("x");
  topology.from(records(numbers(2000))).to(each([](const Item& item) {
    if (item.number == 1000) throw std::runtime_error("not this one");
  }));
  const Ended done = run(topology, {}, {.batch_records_max = 16});
  EXPECT_TRUE(done.status.ok()) << done.status.to_string();
  EXPECT_EQ(done.report.dead_letters, 1u);
  ASSERT_EQ(done.report.recent_dead_letters.size(), 1u);
  EXPECT_EQ(done.report.recent_dead_letters.front().reason, "not this one");
}

TEST(Simulation, IsRepeatableAndDrainsWhenAskedToStop) {
  const auto fingerprint = [](std::uint64_t seed, std::optional<std::uint64_t> stop,
                              std::uint64_t& seen) {
    Topology topology("x");
    seen = 0;
    topology.bolt("wide", Doubler{}, shuffle(topology.from(records(numbers(2000)))), {.tasks = 3})
        .to(each([&seen](const Item&) { ++seen; }));
    const Graph& graph = topology.declaration().graph;
    SimEnv env(seed);
    Simulation simulation(graph, make_plan(graph, {}), {.batch_records_max = 8}, env,
                          {.seed = seed, .stop_at_step = stop});
    const Result<std::uint64_t> result = simulation.run();
    EXPECT_TRUE(result.has_value()) << result.error().to_string();
    return result ? *result : 0;
  };
  std::uint64_t all = 0;
  std::uint64_t some = 0;
  EXPECT_EQ(fingerprint(1, {}, all), fingerprint(1, {}, all));
  EXPECT_NE(fingerprint(1, {}, all), fingerprint(2, {}, all));
  EXPECT_EQ(all, 2u * 1800);
  fingerprint(1, 50, some);
  EXPECT_GT(some, 0u);
  EXPECT_LT(some, all);
}

TEST(Simulation, NamesTheTasksThatAreNotDone) {
  Topology topology("x");
  topology.from(generate(std::nullopt, [](std::uint64_t at) { return at; }))
      .named("endless")
      .to(each([](std::uint64_t) {}));
  const Graph& graph = topology.declaration().graph;
  SimEnv env(1);
  Simulation simulation(graph, make_plan(graph, {}), {}, env, {.seed = 1, .steps_max = 100});
  const Status status = simulation.run().error();
  EXPECT_EQ(status.code(), Code::internal);
  EXPECT_THAT(status.message(), HasSubstr("did not end in time after 100 steps of seed 1"));
  EXPECT_THAT(status.message(), HasSubstr("\"endless\" task 0"));
}

}  // namespace
}  // namespace millrace::detail
