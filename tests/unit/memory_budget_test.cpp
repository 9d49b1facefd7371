// Tests of the memory budget: what is counted, who waits, who fails, and that nothing is lost.
#include "runtime/memory_budget.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "base/sanitizers.hpp"
#include "env/machine_memory.hpp"
#include "millrace/topology.hpp"
#include "runtime/runtime.hpp"
#include "runtime/simulation.hpp"
#include "state/keyed_tables.hpp"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMiB = 1u << 20;

TEST(MemoryMeter, CountsIntoItsTotalAndKeepsThePeak) {
  MemoryMeter total;
  MemoryMeter part(&total);
  MemoryMeter other(&total);
  part.grow(100);
  other.grow(50);
  part.shrink(60);
  EXPECT_EQ(part.bytes(), 40u);
  EXPECT_EQ(total.bytes(), 90u);
  EXPECT_EQ(total.peak_bytes(), 150u);
}

TEST(MemoryMeter, RefusesBeyondTheLimitAndCountsNothingThen) {
  MemoryMeter total(nullptr, 100);
  MemoryMeter part(&total);
  part.grow(80);
  EXPECT_THROW(part.grow(21), MemoryRefused);
  EXPECT_EQ(part.bytes(), 80u);
  EXPECT_EQ(total.bytes(), 80u);
  EXPECT_EQ(total.peak_bytes(), 80u);
  part.grow(20);
  EXPECT_EQ(total.bytes(), 100u);
}

TEST(MemoryMeter, ArenasAndTablesGiveBackWhatTheyTook) {
  MemoryMeter meter;
  {
    ArenaRef arena = ArenaRef::make(1024, &meter);
    arena->allocate(1000);
    arena->allocate(5000);
    EXPECT_EQ(meter.bytes(), 6024u);
    arena->reset();
    EXPECT_EQ(meter.bytes(), 1024u);
    KeyedTables<std::string_view, int> tables(&meter);
    for (int at = 0; at < 1000; ++at) {
      const std::string key = "a key of more than sixteen bytes " + std::to_string(at);
      tables.upsert(key, hash_bytes(key), [] { return 0; }) = at;
    }
    EXPECT_EQ(meter.bytes(), 1024u + tables.bytes());
  }
  EXPECT_EQ(meter.bytes(), 0u);
}

TEST(KeyedTables, ARefusedGrowthLeavesThemAsTheyWere) {
  MemoryMeter meter(nullptr, 256u << 10);
  KeyedTables<std::int64_t, std::int64_t> tables(&meter);
  std::int64_t added = 0;
  const auto add = [&] {
    for (; added < 1'000'000; ++added) {
      tables.upsert(added, KeyTraits<std::int64_t>::hash(added), [&] { return 2 * added; });
    }
  };
  EXPECT_THROW(add(), MemoryRefused);
  EXPECT_GT(added, 100);
  EXPECT_EQ(tables.size(), static_cast<std::size_t>(added));
  EXPECT_LE(meter.bytes(), 256u << 10);
  for (std::int64_t key = 0; key < added; ++key) {
    const auto* value = tables.find(key, KeyTraits<std::int64_t>::hash(key));
    ASSERT_NE(value, nullptr) << key;
    EXPECT_EQ(*value, 2 * key);
  }
}

/// A budget of 64 MiB: 16 on their way, 48 of state; two sources, one ten ahead of the other.
struct TwoSources {
  TwoSources() {
    behind.newest = 100;
    ahead.newest = 110;
  }
  MemoryBudget memory{64 * kMiB};
  SourceProgress& behind = memory.add_source();
  SourceProgress& ahead = memory.add_source();
  MemoryMeter queue{&memory.in_flight};
};

TEST(MemoryBudget, NobodyWaitsWithoutPressure) {
  TwoSources two;
  two.queue.grow(7 * kMiB);
  EXPECT_TRUE(two.memory.may_poll(two.behind));
  EXPECT_TRUE(two.memory.may_poll(two.ahead));
}

TEST(MemoryBudget, TheSourceFurthestAheadInEventTimeWaitsFirst) {
  TwoSources two;
  two.queue.grow(9 * kMiB);
  EXPECT_TRUE(two.memory.may_poll(two.behind));
  EXPECT_FALSE(two.memory.may_poll(two.ahead));
  two.behind.newest = 111;
  EXPECT_FALSE(two.memory.may_poll(two.behind));
  EXPECT_TRUE(two.memory.may_poll(two.ahead));
}

TEST(MemoryBudget, ASourceThatHasNothingToReadIsNotWaitedFor) {
  TwoSources two;
  two.queue.grow(9 * kMiB);
  two.behind.active = false;
  EXPECT_TRUE(two.memory.may_poll(two.ahead));
}

TEST(MemoryBudget, OverItsShareNobodyReadsUntilSomeIsWorkedOff) {
  TwoSources two;
  two.queue.grow(17 * kMiB);
  EXPECT_FALSE(two.memory.may_poll(two.behind));
  EXPECT_FALSE(two.memory.may_poll(two.ahead));
  two.queue.shrink(2 * kMiB);
  EXPECT_TRUE(two.memory.may_poll(two.behind));
}

TEST(MemoryBudget, WithEmptyRingsEverybodyMayRead) {
  TwoSources two;
  two.memory.arenas.grow(30 * kMiB);  // spare blocks: waiting would not free them
  EXPECT_TRUE(two.memory.may_poll(two.behind));
  EXPECT_TRUE(two.memory.may_poll(two.ahead));
}

TEST(MemoryBudget, NobodyReadsWhileImagesThatWaitForTheirDiskAreOverTheShare) {
  TwoSources two;
  two.memory.images.grow(26 * kMiB);
  EXPECT_FALSE(two.memory.may_poll(two.behind)) << "nothing is queued";
  EXPECT_FALSE(two.memory.may_poll(two.ahead));
  two.memory.images.shrink(26 * kMiB);
  EXPECT_TRUE(two.memory.may_poll(two.behind));
  EXPECT_TRUE(two.memory.may_poll(two.ahead));
}

TEST(MemoryBudget, StateBeyondHalfOfItsShareSlowsTheSourceThatIsAhead) {
  TwoSources two;
  two.memory.state.grow(30 * kMiB);
  EXPECT_TRUE(two.memory.may_poll(two.behind));
  EXPECT_FALSE(two.memory.may_poll(two.ahead));
}

TEST(MemoryBudget, WithoutABudgetNothingWaits) {
  MemoryBudget memory(0);
  SourceProgress& source = memory.add_source();
  MemoryMeter queue(&memory.in_flight);
  queue.grow(std::size_t{1} << 40);
  memory.state.grow(std::size_t{1} << 40);
  EXPECT_TRUE(memory.may_poll(source));
}

struct Frame {
  std::uint64_t number = 0;
  std::string pixels;
};

Frame frame_of(std::uint64_t number, std::size_t bytes) {
  return {number, std::string(bytes, static_cast<char>('a' + number % 26))};
}

struct Pass : Bolt<Frame, Frame> {
  void process(const Frame& frame, Output<Frame>& out) override { out.emit(frame); }
};

struct Seen {
  std::vector<std::uint64_t> numbers;
  std::uint64_t bytes = 0;
  void add(const Frame& frame) {
    numbers.push_back(frame.number);
    for (int turn = 0; turn < 4; ++turn) {  // slower than the source
      bytes += static_cast<std::uint64_t>(
          std::count(frame.pixels.begin(), frame.pixels.end(), frame.pixels.front()));
    }
  }
};

/// `count` frames through two tasks into a sink of one: rings on both sides.
void declare(Topology& topology, std::uint64_t count, std::size_t bytes, Seen& seen) {
  auto frames =
      topology.from(generate(count, [bytes](std::uint64_t at) { return frame_of(at, bytes); }));
  topology.bolt("pass", Pass{}, shuffle(frames), {.tasks = 2}).to(each([&seen](const Frame& frame) {
    seen.add(frame);
  }));
}

void expect_all(const Seen& seen, std::uint64_t count, std::size_t bytes) {
  std::vector<std::uint64_t> numbers = seen.numbers;
  std::sort(numbers.begin(), numbers.end());
  ASSERT_EQ(numbers.size(), count);
  for (std::uint64_t at = 0; at < count; ++at) EXPECT_EQ(numbers[at], at);
  EXPECT_EQ(seen.bytes, 4 * count * bytes);
}

/// The sink's task gets no turn until nothing else moves: what a slow sink does, without a clock.
TEST(MemoryRun, AFastSourceWaitsForASinkThatStandsStill) {
  constexpr std::uint64_t kFrames = 400;
  constexpr std::size_t kBytes = 256u << 10;
  Seen seen;
  Topology topology("frames");
  declare(topology, kFrames, kBytes, seen);
  const Graph& graph = topology.declaration().graph;
  SimEnv env(1);
  RunOptions options;
  options.memory_bytes = 16 * kMiB;
  options.ring_batches_max = 1024;
  TaskGraph run(make_plan(graph, {}), options, env.env());
  ASSERT_TRUE(run.open().ok());
  auto& tasks = run.tasks();
  const auto is_sink = [](const Task& task) {
    return bool(task.stages().back()->plan().make_sink);
  };
  for (std::size_t quiet = 0; quiet < 2 * tasks.size();) {
    for (auto& task : tasks) {
      if (is_sink(*task)) continue;
      quiet = task->step(16, false) == Step::ready ? 0 : quiet + 1;
    }
  }
  Report report;
  run.fill(graph, report);
  EXPECT_TRUE(report.components.front().held_by_memory);
  EXPECT_LT(report.components.front().emitted, kFrames);
  EXPECT_GT(report.memory.queued_bytes, 3 * kMiB);
  EXPECT_LE(report.memory.in_flight_peak_bytes, 8 * kMiB);
  std::vector<Task*> live;
  for (auto& task : tasks) live.push_back(task.get());
  while (!live.empty()) {
    std::erase_if(live, [](Task* task) { return task->step(16, false) == Step::done; });
  }
  expect_all(seen, kFrames, kBytes);
  Report at_end;
  run.fill(graph, at_end);
  EXPECT_TRUE(check_counts(at_end, true).ok());
  EXPECT_EQ(at_end.memory.queued_bytes, 0u);
  EXPECT_TRUE(run.close().ok());
}

std::uint64_t peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

TEST(MemoryRun, TheProcessStaysWithinItsBudget) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's own memory is larger than the budget";
  constexpr std::uint64_t kFrames = 400;
  constexpr std::size_t kBytes = 1u << 20;
  constexpr std::uint64_t kBudget = 48 * kMiB;
  Seen seen;
  Topology topology("frames");
  declare(topology, kFrames, kBytes, seen);
  const Graph& graph = topology.declaration().graph;
  RunOptions options;
  options.memory_bytes = kBudget;
  options.executors = 4;
  options.ring_batches_max = 256;
  Engine engine(make_plan(graph, {}), options, real_env());
  ASSERT_TRUE(engine.start().ok());
  ASSERT_TRUE(engine.finish().ok());
  expect_all(seen, kFrames, kBytes);
  EXPECT_LE(engine.graph().memory().in_flight.peak_bytes(), kBudget);
  EXPECT_LE(peak_rss_bytes(), kBudget);
}

TEST(MemoryRun, StateBeyondTheBudgetFailsTheComponentByName) {
  Topology topology("keys");
  std::uint64_t rows = 0;
  topology.from(generate(10'000'000, [](std::uint64_t at) { return at; }))
      .key_by(self)
      .count()
      .named("every number")
      .to(each([&rows](const auto&) { ++rows; }));
  const Graph& graph = topology.declaration().graph;
  RunOptions options;
  options.memory_bytes = 16 * kMiB;
  Engine engine(make_plan(graph, {}), options, real_env());
  ASSERT_TRUE(engine.start().ok());
  const Status status = engine.finish();
  EXPECT_EQ(status.code(), Code::memory_exceeded);
  EXPECT_THAT(status.message(), HasSubstr("\"every number\" holds"));
  EXPECT_THAT(status.message(), HasSubstr("--memory"));
  Report report;
  engine.graph().fill(graph, report);
  EXPECT_LE(report.memory.state_peak_bytes, 12 * kMiB);
  EXPECT_GT(report.memory.state_peak_bytes, 4 * kMiB);
  EXPECT_GT(rows, 100'000u);
}

TEST(MemoryRun, WindowsGiveTheirStateBack) {
  Topology topology("windows");
  struct Event {
    std::int64_t time = 0;
    std::int64_t key = 0;
  };
  std::uint64_t rows = 0;
  topology
      .from(generate(200'000,
                     [](std::uint64_t at) {
                       const auto number = static_cast<std::int64_t>(at);
                       return Event{number * 1000, number};
                     }))
      .event_time(&Event::time)
      .key_by(&Event::key)
      .window(tumbling(std::chrono::seconds(1)))
      .count()
      .to(each([&rows](const auto&) { ++rows; }));
  const Graph& graph = topology.declaration().graph;
  RunOptions options;
  options.memory_bytes = 16 * kMiB;  // all keys at once would take more
  Engine engine(make_plan(graph, {}), options, real_env());
  ASSERT_TRUE(engine.start().ok());
  ASSERT_TRUE(engine.finish().ok());
  EXPECT_EQ(rows, 200'000u);
}

}  // namespace
}  // namespace millrace::detail
