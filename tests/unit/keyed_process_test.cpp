// Tests of timers of the wall clock, of ends and stops, and of the queue that timers wait in.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "env/random.hpp"
#include "millrace/millrace.hpp"
#include "run_harness.hpp"
#include "state/timer_queue.hpp"

namespace millrace {
namespace {

struct Ping {
  Timestamp time;
  std::int32_t key = 0;
};
struct Fired {
  std::int32_t key = 0;
  Time time = 0;
  Time now = 0;
};
using Context = KeyedContext<std::int32_t>;

std::vector<Ping> pings(int count, Duration apart, int keys = 1) {
  std::vector<Ping> all;
  for (int at = 0; at < count; ++at) all.push_back({{at * apart.count()}, at % keys});
  return all;
}

struct HalfASecondLater {
  void process(const Ping&, Context& context, Output<Fired>&) {
    context.timers().clock_after(500ms);
  }
  void on_clock(Time time, Context& context, Output<Fired>& out) {
    out.emit({context.key(), time, context.now().micros});
  }
};

TEST(ClockTimers, FireWhenTheClockIsThereAndNotOnceTheInputHasEnded) {
  std::vector<Fired> found;
  Topology topology("clock");
  topology.from(records<Ping>({pings(10, 1s)}))
      .event_time(&Ping::time)
      .key_by(&Ping::key)
      .process(HalfASecondLater{})
      .to(each([&found](const Fired& row) { found.push_back(row); }));
  detail::RunOptions options;
  options.speed = 1;  // the simulated clock follows the records
  const auto ended = detail::simulate(topology, 3, {}, options);
  ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
  ASSERT_EQ(found.size(), 9u);
  for (const Fired& row : found) {
    EXPECT_GE(row.now, row.time);
    EXPECT_LT(row.now, row.time + 400'000);  // before the next record
  }
}

struct Endless {
  void process(const Ping& ping, Context& context, Output<Fired>&) {
    context.timers().at(ping.time + 1s);
  }
  void on_timer(Time time, Context& context, Output<Fired>& out) {
    out.emit({context.key(), time, 0});
    context.timers().at(time + 1);
  }
};

TEST(Timers, ThatSetEachOtherWithoutEndDoNotHoldTheRun) {
  std::uint64_t fired = 0;
  Topology topology("endless");
  topology.from(records<Ping>({pings(2, 1ms)}))
      .event_time(&Ping::time)
      .key_by(&Ping::key)
      .process(Endless{})
      .to(each([&fired](const Fired&) { ++fired; }));
  const auto ended = detail::simulate(topology, 1);
  ASSERT_TRUE(ended.status.ok()) << ended.status.to_string();
  EXPECT_GE(fired, 100'000u);
  EXPECT_GT(ended.report.dead_letters, 0u);
}

struct NextSecond {
  ValueState<std::int64_t> seen;
  void process(const Ping& ping, Context& context, Output<Fired>& out) noexcept {
    seen.set(seen.value_or(0) + 1);
    context.timers().at(ping.time + 1ms);
    out.emit({context.key(), context.time(), *seen});
  }
  void on_timer(Time time, Context& context, Output<Fired>& out) noexcept {
    out.emit({context.key(), time, -1});
    seen.clear();
  }
};

TEST(Timers, OfEqualTimesFireByKey) {
  std::vector<Ping> input;
  for (int key = 50; key-- > 0;) input.push_back({{7}, (key * 37) % 50});
  std::vector<std::int32_t> order;
  Topology topology("order");
  topology.from(records<Ping>({input}))
      .event_time(&Ping::time)
      .key_by(&Ping::key)
      .process(NextSecond{})
      .to(each([&order](const Fired& row) {
        if (row.now == -1) order.push_back(row.key);
      }));
  ASSERT_TRUE(detail::simulate(topology, 1).status.ok());
  ASSERT_EQ(order.size(), 50u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

/// A late record comes behind the timers before the watermark that it is behind, however batches
/// are cut.
TEST(Timers, ComeBeforeLateRecordsWhateverTheBatches) {
  detail::Random random(4);
  std::vector<Ping> input;
  for (int at = 0; at < 300; ++at) {
    const std::int64_t back = random.chance(0.2) ? random.between(0, 9'000) : 0;
    input.push_back({{at * 400 - back}, static_cast<std::int32_t>(random.below(3))});
  }
  std::vector<std::vector<Time>> runs;
  for (std::size_t most : {1, 2, 7, 50, 1'000}) {
    std::map<std::int32_t, std::vector<Time>> by_key;
    Topology topology("late");
    topology.from(records<Ping>({input}))
        .event_time(&Ping::time, {.out_of_order = 1ms})
        .key_by(&Ping::key)
        .process(NextSecond{})
        .to(each([&by_key](const Fired& row) {
          by_key[row.key].insert(by_key[row.key].end(), {row.time, row.now});
        }));
    detail::RunOptions options;
    options.batch_records_max = most;
    ASSERT_TRUE(detail::simulate(topology, most, {}, options).status.ok());
    std::vector<Time>& run = runs.emplace_back();
    for (const auto& [key, rows] : by_key) run.insert(run.end(), rows.begin(), rows.end());
    EXPECT_EQ(run, runs.front()) << "batches of " << most;
  }
}

/// At a stop nothing fires, yet the records that wait for a timer are handled and counted.
TEST(Timers, LetNoRecordWaitBehindAStop) {
  for (std::uint64_t stop_at = 5; stop_at < 200; stop_at += 13) {
    std::uint64_t rows = 0;
    std::uint64_t fired = 0;
    Topology topology("stopped");
    topology.from(records<Ping>({pings(400, 1s, 3)}))
        .event_time(&Ping::time, {.out_of_order = 10s})
        .key_by(&Ping::key)
        .process(NextSecond{})
        .to(each([&](const Fired& row) { ++(row.now == -1 ? fired : rows); }));
    const detail::Graph& graph = detail::valid_graph(topology);
    detail::RunOptions options;
    options.batch_records_max = 8;
    detail::SimEnv env(stop_at);
    detail::Simulation simulation(graph, detail::make_plan(graph, {.parallelism = 2}), options, env,
                                  {.seed = stop_at, .stop_at_step = stop_at});
    ASSERT_EQ(simulation.run().error().to_string(), "ok");  // nothing is in flight at rest
    EXPECT_LE(fired, rows);
  }
}

struct Named {
  ValueState<std::int64_t> count;
  double factor = 2;
  ListState<std::string> lines{{.ttl = 1h, .name = "last-lines"}};
};

TEST(States, AreCalledAsTheirMembersUnlessTheySayOtherwise) {
  Named named;
  EXPECT_EQ(detail::state_names(named), (std::vector<std::string>{"count", "last-lines"}));
  EXPECT_TRUE(detail::lives_by_event_time(named));
}

TEST(TimerQueue, GivesTimersByTimeAsAMultimapDoes) {
  detail::Random random(8);
  detail::MemoryMeter meter;
  {
    detail::TimerQueue queue(&meter);
    std::multimap<Time, std::uint64_t> model;
    Time now = -1'000;
    for (int step = 0; step < 20'000; ++step) {
      for (std::uint64_t more = random.below(6); more > 0; --more) {
        Time time = now + (random.chance(0.1) ? random.between(-50, 1) : random.between(0, 3'000));
        if (random.chance(0.01)) time = random.chance(0.5) ? kTimeMax - 1 : kTimeMin;
        queue.push(time, static_cast<std::uint64_t>(step));
        model.emplace(time, static_cast<std::uint64_t>(step));
      }
      ASSERT_EQ(queue.next(), model.empty() ? kTimeMax : model.begin()->first);
      if (random.chance(0.001)) {
        queue.retain([](const auto& entry) { return entry.hash % 2 == 0; });
        std::erase_if(model, [](const auto& entry) { return entry.second % 2 != 0; });
        std::set<std::pair<Time, std::uint64_t>> once(model.begin(), model.end());
        model = {once.begin(), once.end()};
      }
      now += random.between(0, 40);
      std::vector<std::uint64_t> hashes;
      while (const auto time = queue.pop(now, hashes)) {
        ASSERT_EQ(*time, model.begin()->first);
        for (std::uint64_t hash : hashes) {
          const auto [from, to] = model.equal_range(*time);
          const auto at =
              std::find_if(from, to, [hash](auto& entry) { return entry.second == hash; });
          ASSERT_NE(at, to);
          model.erase(at);
        }
        ASSERT_EQ(model.count(*time), 0u);
      }
      ASSERT_TRUE(model.empty() || model.begin()->first > now);
      ASSERT_EQ(queue.size(), model.size());
      ASSERT_EQ(queue.bytes(), meter.bytes());
    }
  }
  EXPECT_EQ(meter.bytes(), 0u);
}

}  // namespace
}  // namespace millrace
