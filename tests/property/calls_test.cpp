// Tests that calls to the outside give each record its result once, in order and before its
// watermark, whatever the schedule, the delays, the failures and the kills.
#include <gtest/gtest.h>

#include <memory>

#include "cut_run.hpp"

namespace millrace::detail {
namespace {

/// An outside store that is slow and fails, as the seed draws.
struct Store {
  Random random;
  double failing = 0.2;
  std::uint64_t calls = 0;

  Numbered ask(const Numbered& of) {
    ++calls;
    if (random.chance(failing)) throw std::runtime_error("the store is down");
    return {of.key, of.number + 1'000};
  }
  std::vector<std::optional<std::int64_t>> find(std::span<const std::int64_t> keys) {
    ++calls;
    if (random.chance(failing)) throw std::runtime_error("the store is down");
    std::vector<std::optional<std::int64_t>> values;
    for (const std::int64_t key : keys)
      values.push_back(key % 3 == 0 ? std::nullopt : std::optional(key * 2));
    return values;
  }
};

CallOptions drawn_options(Random& random) {
  CallOptions options;
  options.in_flight_max = 1 + random.below(12);
  options.time_out = Duration(500 + random.below(4'000));  // of delays up to 4 ms
  options.tries = static_cast<int>(1 + random.below(4));
  options.back_off = Duration(random.below(1'000));
  if (random.chance(0.3)) options.deadline = Duration(1'000 + random.below(8'000));
  options.ordered = random.chance(0.5);
  options.threads = 1 + random.below(4);
  return options;
}

/// A replayable source, its calls, and windows behind them that would miss late records.
struct CallWorld {
  std::uint32_t partitions = 3;
  std::int64_t count = 60;
  bool looks_up = false;  ///< in place of calls, in all lives
  MemoryStore store = {};
  Outbox results = {};
  Outbox windows = {};

  Stream<Numbered> numbers(Topology& topology, std::uint32_t tasks) {
    Node node;
    node.name = node.kind = "numbers";
    node.tasks = tasks;
    node.output = &batch_type<Numbered>();
    node.make_source = [this] { return std::make_unique<Numbers>(partitions, count); };
    Declaration& declaration = topology.declaration();
    const NodeId id = declaration.graph.add(std::move(node));
    return Stream<Numbered>(declaration, {{id, 0}}).event_time([](const Numbered& of) {
      return of.number * (3 + of.key % 2);
    });
  }
  void declare(Topology& topology, std::uint32_t tasks, Store& outside, Random& random) {
    const auto read = numbers(topology, tasks);
    if (looks_up) return look_up(topology, read, outside, random);
    const auto called =
        (random.chance(0.5) ? read : read.shuffle())
            .call([&outside](const Numbered& of) { return outside.ask(of); }, drawn_options(random),
                  [](const Numbered& of) { return Numbered{of.key, of.number + 1'000}; });
    called.named("call");
    show_both(topology, called);
  }

 private:
  void look_up(Topology& topology, const Stream<Numbered>& read, Store& outside, Random& random) {
    LookupOptions options;
    options.calls = drawn_options(random);
    options.cache_max = random.below(20);
    options.expire = Duration(random.below(20'000));
    options.keep_missing = random.chance(0.5);
    options.batch_max = 1 + random.below(5);
    options.missing_on_failure = true;
    const auto key_of = [](const Numbered& of) { return of.key * 100 + of.number % 16; };
    show_both(topology,
              read.lookup(
                      key_of,
                      [&outside](std::span<const std::int64_t> keys) { return outside.find(keys); },
                      options)
                  .map([key_of](const LookedUp<Numbered, std::int64_t>& row) {
                    if (row.value) EXPECT_EQ(*row.value, key_of(row.record) * 2);
                    return Numbered{row.record.key, row.record.number + 1'000};
                  }));
  }
  void show_both(Topology& topology, const Stream<Numbered>& called) {
    show(topology, called, results, "results");
    const auto counted = called.key_by(&Numbered::key).window(tumbling(Duration(20))).count();
    show(topology, counted.map([](const auto& row) {
      return Numbered{row.key * 1'000'000 + row.window_start, row.value};
    }),
         windows, "windows");
  }
  void show(Topology& topology, const Stream<Numbered>& rows, Outbox& outbox,
            const std::string& name) {
    Node node;
    node.name = node.kind = name;
    node.tasks = 1;
    node.inputs = rows.inputs({});
    node.make_sink = [&outbox] { return std::make_unique<OutboxSink>(outbox); };
    (void)topology.declaration().graph.add(std::move(node));
  }
};

bool live(CallWorld& world, Random& random, bool last) {
  Topology topology("calls");
  Store outside{.random = Random(random())};
  world.declare(topology, static_cast<std::uint32_t>(1 + random.below(3)), outside, random);
  const bool stopped = !last && random.chance(0.25);
  return run_until_cut(topology, world.store, random, last ? 0 : 1500, stopped);
}

TEST(Calls, KilledRunsShowEachResultOnceAndMissNoWindow) {
  CallWorld whole;
  Random one(1);
  ASSERT_TRUE(live(whole, one, true));
  ASSERT_EQ(whole.results.seen().size(), 180u);
  std::int64_t in_windows = 0;
  for (const Shown& row : whole.windows.seen()) in_windows += row.second;
  ASSERT_EQ(in_windows, 180);
  std::size_t epochs = 0;
  property::for_each_seed([&](std::uint64_t seed) {
    Random random(seed);
    CallWorld world;
    world.looks_up = random.chance(0.4);
    const std::uint64_t kills = 1 + random.below(6);
    for (std::uint64_t kill = 0; kill <= kills; ++kill) {
      if (!live(world, random, kill == kills)) return false;
      const auto newest = world.store.newest();
      if (newest && *newest && (*newest)->finished) break;
    }
    epochs += static_cast<std::size_t>(world.store.writes());
    EXPECT_EQ(world.results.seen(), whole.results.seen()) << "MILLRACE_SEED=" << seed;
    EXPECT_EQ(world.windows.seen(), whole.windows.seen()) << "MILLRACE_SEED=" << seed;
    return !testing::Test::HasFailure();
  });
  EXPECT_GT(epochs, 50u);
}

/// One run, some of them stopped in order; at least once or with no guarantee.
TEST(Calls, EachRecordHasOneResultOrLetterAndOrderIsKept) {
  std::uint64_t letters = 0;
  std::uint64_t retried = 0;
  property::for_each_seed([&](std::uint64_t seed) {
    Random random(seed);
    const bool acked = random.chance(0.3);
    CallOptions options = drawn_options(random);
    Store outside{.random = Random(random()), .failing = acked ? 0.0 : 0.2};
    if (acked) options.time_out = Duration(10'000), options.deadline = Duration(0);
    std::vector<Numbered> seen;
    Topology topology("calls");
    if (acked) topology.guarantee(at_least_once);
    CallWorld world;
    world.numbers(topology, static_cast<std::uint32_t>(1 + random.below(3)))
        .call([&outside](const Numbered& of) { return outside.ask(of); }, options)
        .named("call")
        .to(each([&seen](const Numbered& of) { seen.push_back(of); }));
    RunOptions run;
    run.batch_records_max = 1 + random.below(8);
    run.ring_batches_max = 1 + random.below(4);
    SimulationOptions simulated{.seed = seed};
    if (random.chance(0.2)) simulated.stop_at_step = random.below(200);
    const Graph& graph = topology.declaration().graph;
    SimEnv env(seed);
    Simulation simulation(graph, make_plan(graph, {}), run, env, simulated);
    const auto ran = simulation.run();
    EXPECT_TRUE(ran) << "MILLRACE_SEED=" << seed << ": " << ran.error().to_string();
    const Report report = simulation.report();
    for (const ComponentReport& part : report.components) {
      if (part.name != "call") continue;
      EXPECT_EQ(part.received, part.processed + part.dead_lettered) << "MILLRACE_SEED=" << seed;
      EXPECT_EQ(part.processed, seen.size());
      if (!simulated.stop_at_step) EXPECT_EQ(part.received, 180u);
      EXPECT_EQ(part.state_bytes, 0u) << "MILLRACE_SEED=" << seed;
      letters += part.dead_lettered;
    }
    std::map<std::int64_t, std::int64_t> last;
    std::set<Shown> distinct;
    for (const Numbered& of : seen) {
      EXPECT_TRUE(distinct.insert({of.key, of.number}).second) << "MILLRACE_SEED=" << seed;
      if (options.ordered) EXPECT_GT(of.number, last[of.key]) << "MILLRACE_SEED=" << seed;
      last[of.key] = of.number;
    }
    retried += outside.calls - seen.size();
    return !testing::Test::HasFailure();
  });
  EXPECT_GT(letters, 0u);
  EXPECT_GT(retried, 0u);
}

}  // namespace
}  // namespace millrace::detail
