// What a report says of a running topology: chains, tasks, queues, waiting, skew, hot keys,
// partitions, open windows, errors by reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "running_topology.hpp"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

struct Item {
  std::string key;
  std::int64_t number = 0;
  Timestamp time;
};

Item item_at(std::uint64_t at) {
  return {"key " + std::to_string(at % 97), static_cast<std::int64_t>(at),
          Timestamp{static_cast<std::int64_t>(at) * 1000}};
}

struct PassOn : Bolt<Item, Item> {
  void process(const Item& item, Output<Item>& out) override { out.emit(item); }
};

TEST(ReportFigures, TellTheGraphAsItRuns) {
  Topology topology("t");
  auto items = topology.from(generate(std::nullopt, item_at)).named("items");
  topology.bolt("work", PassOn{}, fields(items, &Item::key), {.tasks = 3}).to(each([](const Item&) {
  }));
  RunningTopology running(topology, {}, {.executors = 2});
  ASSERT_TRUE(running.started().ok());
  const Report report = running.report_when([](const Report&, const Report& now) {
    return now.records_out > 10'000 && component_of(now, "work").received_per_second > 0 &&
           now.recent_latency_us_p99;
  });
  ASSERT_EQ(report.chains.size(), 3u);
  EXPECT_EQ(report.chains[0].components, std::vector<std::string>{"items"});
  EXPECT_EQ(report.chains[1].components, std::vector<std::string>{"work"});
  EXPECT_EQ(report.chains[1].tasks, 3u);
  ASSERT_EQ(report.tasks.size(), 5u);
  for (std::size_t at = 0; at < report.tasks.size(); ++at) {
    const TaskReport& task = report.tasks[at];
    EXPECT_GE(task.executor, 1);
    EXPECT_LE(task.executor, 2);
    EXPECT_GT(task.received, 0u) << at;
    EXPECT_GT(task.emitted, 0u) << at;
    EXPECT_GE(task.busy_share, 0.0);
    EXPECT_LE(task.busy_share, 1.0);
    EXPECT_LE(task.queue_fill, 1.0);
  }
  EXPECT_EQ(report.tasks[3].chain, 1u);
  EXPECT_EQ(report.tasks[3].index, 2u);
  const ComponentReport& work = component_of(report, "work");
  EXPECT_EQ(work.chain, 1u);
  EXPECT_EQ(work.tasks, 3u);
  ASSERT_TRUE(work.step_us_p50.has_value());
  EXPECT_GT(*work.step_us_p50, 0.0);
  EXPECT_LE(*work.step_us_p50, *work.step_us_p99);
  EXPECT_LE(*work.step_us_p99, *work.step_us_max);
  EXPECT_GT(work.emitted_per_second, 0.0);
  ASSERT_TRUE(work.skew.has_value());
  EXPECT_LT(work.skew->share, 0.6);
  EXPECT_DOUBLE_EQ(work.skew->even, 1.0 / 3);
  EXPECT_FALSE(work.hot_key.has_value()) << work.hot_key->text;
  EXPECT_TRUE(component_of(report, "each").latency_us_p99.has_value());
  EXPECT_FALSE(work.latency_us_p99.has_value()) << "only sinks end a latency";
  EXPECT_EQ(report.edges[0].rings, 3u);
}

TEST(ReportFigures, TellWhoWaitsForWhom) {
  Topology topology("t");
  std::atomic<bool> slow{true};
  auto items = topology.from(generate(std::nullopt, item_at)).named("items");
  topology.bolt("work", PassOn{}, shuffle(items), {.tasks = 2}).to(each([&slow](const Item&) {
    if (slow) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }));
  RunningTopology running(topology, {}, {.executors = 4, .batch_records_max = 64});
  const Report report = running.report_when([](const Report&, const Report& now) {
    return component_of(now, "items").blocked_share > 0.3 &&
           component_of(now, "each").queue_fill > 0.9 && component_of(now, "work").queue_fill > 0.9;
  });
  const ComponentReport& each = component_of(report, "each");
  EXPECT_EQ(each.blocked_share, 0.0);
  EXPECT_GT(each.queue_fill, 0.9);
  EXPECT_GT(each.queued, 0u);
  EXPECT_GT(report.queued, each.queued);
  EXPECT_GT(component_of(report, "items").blocked_share, 0.3);
  EXPECT_LE(component_of(report, "items").blocked_share, 1.0);
  const auto blocked = std::ranges::count(report.tasks, "blocked", &TaskReport::state);
  EXPECT_GT(blocked, 0);
  EXPECT_EQ(report.tasks.back().running, "each");
  EXPECT_GT(report.tasks.back().running_us, 0.0);
  slow = false;
}

TEST(ReportFigures, NameTheHotKeyAndTheTaskThatHasIt) {
  Topology topology("t");
  auto items = topology
                   .from(generate(std::nullopt,
                                  [](std::uint64_t at) {
                                    Item item = item_at(at);
                                    if (at % 10 < 6) item.key = "hot";
                                    return item;
                                  }))
                   .named("items");
  topology.bolt("work", PassOn{}, fields(items, &Item::key), {.tasks = 4}).to(each([](const Item&) {
  }));
  RunningTopology running(topology);
  const Report report = running.report_when([](const Report&, const Report& now) {
    return component_of(now, "work").hot_key && component_of(now, "work").skew;
  });
  const ComponentReport& work = component_of(report, "work");
  ASSERT_TRUE(work.hot_key.has_value());
  EXPECT_EQ(work.hot_key->text, "hot");
  EXPECT_NEAR(work.hot_key->share, 0.6, 0.15);
  EXPECT_GE(work.hot_key->samples, 50u);
  ASSERT_TRUE(work.skew.has_value());
  EXPECT_GT(work.skew->share, 0.55);
}

struct Partitioned {
  Timestamp time;
  std::string key = "k";
};

TEST(ReportFigures, TellPartitionsAndWhenTheFirstWindowCloses) {
  Topology topology("t");
  topology
      .from(generate(
          std::nullopt,
          [](std::uint64_t at) {
            // Partition 1 crawls, so that the watermark stays in the first hour.
            const bool slow = at % 2 == 1;
            const auto step = static_cast<std::int64_t>(at / 2);
            return Partitioned{
                Timestamp{slow ? std::min<std::int64_t>(step, 1'000'000) : step * 60'000'000}};
          },
          2))
      .named("ticks")
      .event_time(&Partitioned::time)
      .named("clock")
      .key_by(&Partitioned::key)
      .window(tumbling(1h))
      .count()
      .named("hours")
      .to(view("Hours"));
  RunningTopology running(topology);
  const Report report = running.report_when([](const Report&, const Report& now) {
    const auto& partitions = component_of(now, "clock").partitions;
    return partitions.size() == 2 && partitions[1].watermark &&
           *partitions[0].watermark > 7'200'000'000 && *partitions[1].watermark == 1'000'000 &&
           component_of(now, "hours").closes_at.has_value();
  });
  const auto& partitions = component_of(report, "clock").partitions;
  ASSERT_EQ(partitions.size(), 2u);
  EXPECT_EQ(partitions[0].name, "ticks partition 0");
  EXPECT_GT(*partitions[0].watermark, 7'200'000'000);
  EXPECT_EQ(partitions[1].watermark, 1'000'000);
  const ComponentReport& hours = component_of(report, "hours");
  EXPECT_EQ(hours.watermark, 1'000'000);
  EXPECT_EQ(hours.closes_at, 3'600'000'000);
  EXPECT_GT(*hours.lag_ms, 3'600'000);
}

TEST(ReportFigures, CountDeadLettersByReason) {
  Topology topology("t");
  topology.from(generate(1000, item_at))
      .named("items")
      .filter([](const Item& item) {
        if (item.number % 10 == 3) throw std::runtime_error("bad number " + item.key);
        if (item.number == 500) throw std::runtime_error("five hundred");
        return true;
      })
      .named("check")
      .to(each([](const Item&) {}));
  RunningTopology running(topology);
  running.wait();
  const Report report = running.report();
  const auto& errors = component_of(report, "check").errors;
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].count + errors[1].count, 101u);
  const auto& many = errors[0].count > 1 ? errors[0] : errors[1];
  EXPECT_EQ(many.count, 100u) << "reasons that differ in a number are one";
  EXPECT_THAT(many.reason, HasSubstr("bad number key"));
  EXPECT_THAT(many.record, HasSubstr("993"));
}

TEST(ReportFigures, KeepABoundedNumberOfReasons) {
  DeadLetterStore store(real_env(), Log());
  for (char a = 'a'; a <= 'z'; ++a) {
    const std::string reason = std::string("reason ") + a;
    store.add({.component = "c", .reason = reason, .where = "", .record = ""});
  }
  const auto errors = store.errors_of("c");
  ASSERT_EQ(errors.size(), 8u);
  std::uint64_t sum = 0;
  for (const ErrorReport& error : errors) sum += error.count;
  EXPECT_EQ(sum, 26u);
  EXPECT_TRUE(store.errors_of("d").empty());
}

}  // namespace
}  // namespace millrace::detail
