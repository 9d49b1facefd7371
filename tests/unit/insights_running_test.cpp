// Insights of real topologies: each of these is made to be in trouble, and the page says which.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>

#include "metrics/insights.hpp"
#include "running_topology.hpp"

namespace millrace::detail {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

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

/// What is said of `kind` once it is, or nothing after a while.
Insight told(RunningTopology& running, std::string_view kind) {
  Insight found;
  running.report_when([&](const Report& before, const Report& now) {
    for (const Insight& insight : find_troubles(before, now)) {
      if (insight.kind == kind) found = insight;
    }
    return !found.kind.empty();
  });
  return found;
}

/// Why the only view is empty, once that begins with `start`.
std::string why(RunningTopology& running, std::string_view start) {
  std::string text;
  running.report_when([&](const Report&, const Report& now) {
    text = why_empty(now, now.views.front());
    return text.starts_with(start);
  });
  return text;
}

TEST(RunningInsights, ABusyBoltAndTheSourceThatWaits) {
  Topology topology("t");
  auto items = topology.from(generate(std::nullopt, item_at)).named("items");
  std::atomic<bool> over{false};
  topology.bolt("work", PassOn{}, shuffle(items), {.tasks = 2})
      .named("work")
      .to(each([&over](const Item&) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
        while (!over && std::chrono::steady_clock::now() < until) {
        }
      }));
  RunningTopology running(topology, {}, {.executors = 4, .batch_records_max = 64});
  const Insight insight = told(running, "busy");
  over = true;
  EXPECT_EQ(insight.component, "each");
  EXPECT_THAT(insight.text, HasSubstr("\"work\" waits for it"));
}

TEST(RunningInsights, ASinkThatDoesNotComeBack) {
  Topology topology("t");
  std::atomic<bool> open{false};
  topology.from(generate(std::nullopt, item_at)).named("items").to(each([&open](const Item&) {
    while (!open) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }));
  RunningTopology running(topology);
  const Insight insight = told(running, "stuck");
  open = true;
  EXPECT_EQ(insight.component, "each");
  EXPECT_THAT(insight.text, StartsWith("\"each\" has not come back from one call for"));
}

/// Few records at a time are handed to the system when a step is over, not as they come.
TEST(RunningInsights, AnOutputThatTakesNoMore) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const std::string full(static_cast<std::size_t>(::fcntl(pipe[1], F_GETPIPE_SZ)), 'x');
  ASSERT_EQ(::write(pipe[1], full.data(), full.size()), static_cast<ssize_t>(full.size()));
  Topology topology("t");
  topology.from(generate(std::nullopt, item_at))
      .named("items")
      .event_time(&Item::time)
      .to(log("/dev/fd/" + std::to_string(pipe[1])));
  RunningTopology running(topology, {}, {.speed = 1});
  const Insight insight = told(running, "stuck");
  std::thread reader([&pipe] {
    std::array<char, 65536> bytes{};
    while (::read(pipe[0], bytes.data(), bytes.size()) > 0) {
    }
  });
  EXPECT_TRUE(running.stop().ok());
  ::close(pipe[1]);
  reader.join();
  ::close(pipe[0]);
  EXPECT_EQ(insight.component, "log");
  EXPECT_THAT(insight.text, StartsWith("\"log\" has not come back from one call for"));
  EXPECT_THAT(insight.advice, HasSubstr("does not take more"));
}

TEST(RunningInsights, APartitionThatHoldsTime) {
  Topology topology("t");
  topology
      .from(generate(
          std::nullopt,
          [](std::uint64_t at) {
            Item item = item_at(at);
            const bool stands = at % 2 == 1;
            item.time = Timestamp{stands ? 5'000'000 : item.time.micros * 1000};
            return item;
          },
          2))
      .named("items")
      .event_time(&Item::time)
      .named("clock")
      .key_by(&Item::key)
      .window(tumbling(1h))
      .count()
      .named("hours")
      .to(view("Hours"));
  RunningTopology running(topology);
  const Insight insight = told(running, "held_time");
  EXPECT_EQ(insight.component, "clock");
  EXPECT_THAT(
      insight.text,
      StartsWith("\"items partition 1\" holds event time at 1970-01-01T00:00:05Z: nothing newer"));
  const std::string empty = why(running, "No window of \"hours\"");
  EXPECT_THAT(empty, HasSubstr("passes 1970-01-01T01:00:00Z; it is at 1970-01-01T00:00:05Z now."));
  EXPECT_THAT(empty, HasSubstr("\"items partition 1\" holds it"));
}

TEST(RunningInsights, AHotKey) {
  Topology topology("t");
  auto items = topology
                   .from(generate(std::nullopt,
                                  [](std::uint64_t at) {
                                    Item item = item_at(at);
                                    if (at % 10 < 7) item.key = "#hot";
                                    return item;
                                  }))
                   .named("items");
  topology.bolt("work", PassOn{}, fields(items, &Item::key), {.tasks = 4}).to(each([](const Item&) {
  }));
  RunningTopology running(topology);
  const Insight insight = told(running, "hot_key");
  EXPECT_EQ(insight.component, "work");
  EXPECT_THAT(insight.text, StartsWith("\"#hot\" is the key of "));
}

TEST(RunningInsights, DeadLettersThatRise) {
  Topology topology("t");
  topology.from(generate(std::nullopt, item_at))
      .named("items")
      .filter([](const Item& item) {
        if (item.number % 1000 == 7) throw std::runtime_error("seven is not welcome");
        return true;
      })
      .named("check")
      .to(each([](const Item&) {}));
  RunningTopology running(topology);
  const Insight insight = told(running, "dead_letters");
  EXPECT_EQ(insight.component, "check");
  EXPECT_THAT(insight.text, HasSubstr("seven is not welcome"));
}

TEST(RunningInsights, ASlowStep) {
  Topology topology("t");
  topology.from(generate(std::nullopt, item_at))
      .named("items")
      .filter([](const Item& item) {
        if (item.number % 20'000 == 7) std::this_thread::sleep_for(std::chrono::milliseconds(60));
        return true;
      })
      .named("check")
      .to(each([](const Item&) {}));
  RunningTopology running(topology);
  const Insight insight = told(running, "slow_step");
  EXPECT_EQ(insight.component, "check");
  EXPECT_THAT(insight.text, StartsWith("One call of \"check\" took "));
}

TEST(RunningInsights, LateRecords) {
  Topology topology("t");
  topology
      .from(generate(std::nullopt,
                     [](std::uint64_t at) {
                       Item item = item_at(at);
                       item.time.micros *= 1000;
                       if (at % 10 == 3 && at > 10'000) item.time = Timestamp{0};
                       return item;
                     }))
      .event_time(&Item::time, {.out_of_order = 1s})
      .key_by(&Item::key)
      .window(tumbling(1min))
      .count()
      .named("minutes")
      .to(each([](const auto&) {}));
  RunningTopology running(topology);
  const Insight insight = told(running, "late");
  EXPECT_EQ(insight.component, "minutes");
  EXPECT_THAT(insight.advice, HasSubstr("out_of_order"));
}

TEST(RunningInsights, AViewWhoseRecordsAreAllFilteredOut) {
  Topology topology("t");
  topology.from(generate(5000, item_at))
      .named("items")
      .filter([](const Item& item) { return item.number < 0; })
      .named("negative")
      .to(view("Negative"));
  RunningTopology running(topology);
  EXPECT_EQ(why(running, "\"negative\" has filtered all 5,000"),
            "\"negative\" has filtered all 5,000 records out. Look at its condition.");
}

struct Silent : Spout<Item> {
  bool next(Output<Item>&) override { return true; }
};

TEST(RunningInsights, AViewWhoseSourceHasReadNothing) {
  Topology topology("t");
  topology.spout("ear", Silent{}).to(view("Heard"));
  RunningTopology running(topology);
  EXPECT_EQ(why(running, "Nothing"), "Nothing has been read yet: \"ear\" waits for input.");
}

TEST(RunningInsights, AViewOfAnAggregateOverEverything) {
  Topology topology("t");
  topology.from(generate(std::nullopt, item_at))
      .event_time(&Item::time)
      .key_by(&Item::key)
      .window(global())
      .count()
      .named("all")
      .to(view("All"));
  RunningTopology running(topology);
  EXPECT_THAT(why(running, "\"all\" has"), HasSubstr("emits at the end of input"));
}

}  // namespace
}  // namespace millrace::detail
