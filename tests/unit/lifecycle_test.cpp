// Tests of the lives of spouts and bolts: order of calls, failures, rest, ticks and ends.
#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "run_harness.hpp"

namespace millrace::detail {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

/// What was called, in order; shared by the copies of a component.
class Diary {
 public:
  void write(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};
using DiaryPtr = std::shared_ptr<Diary>;

struct Telling : Spout<int> {
  explicit Telling(DiaryPtr to, int records = 2) : diary(std::move(to)), left(records) {}
  void open(TaskContext& context) override { diary->write("open " + context.component()); }
  void activate() override { diary->write("activate"); }
  bool next(Output<int>& out) override {
    if (left == 0) return false;
    diary->write("next");
    out.emit(left--);
    return true;
  }
  void deactivate() override { diary->write("deactivate"); }
  void close() override { diary->write("close"); }
  DiaryPtr diary;
  int left;
};

struct Listening : Bolt<int, int> {
  explicit Listening(DiaryPtr to) : diary(std::move(to)) {}
  void prepare(TaskContext& context) override { diary->write("prepare " + context.component()); }
  void process(const int& number, Output<int>& out) override {
    diary->write("process " + std::to_string(number));
    out.emit(number);
  }
  void finish(Output<int>& out) override {
    diary->write("finish");
    out.emit(-1);
  }
  void cleanup() override { diary->write("cleanup"); }
  DiaryPtr diary;
};

TEST(Lifecycle, OfASpoutIsOpenActivateNextDeactivateClose) {
  for (const bool simulated : {false, true}) {
    Topology topology("x");
    const auto diary = std::make_shared<Diary>();
    topology.spout("in", Telling(diary)).to(each([](int) {}));
    EXPECT_TRUE((simulated ? simulate(topology, 1) : run(topology)).status.ok());
    EXPECT_THAT(diary->lines(),
                ElementsAre("open in", "activate", "next", "next", "deactivate", "close"));
  }
}

TEST(Lifecycle, OfABoltIsPrepareProcessFinishCleanup) {
  for (const bool simulated : {false, true}) {
    for (const bool fuse : {false, true}) {
      Topology topology("x");
      const auto diary = std::make_shared<Diary>();
      std::vector<int> seen;
      const auto numbers = topology.from(records<int>({{7, 8}}));
      topology.bolt("out", Listening(diary), shuffle(numbers)).to(each([&seen](int number) {
        seen.push_back(number);
      }));
      const PlanOptions plan{.fuse = fuse};
      EXPECT_TRUE((simulated ? simulate(topology, 1, plan) : run(topology, plan)).status.ok());
      EXPECT_THAT(diary->lines(),
                  ElementsAre("prepare out", "process 7", "process 8", "finish", "cleanup"));
      EXPECT_THAT(seen, ElementsAre(7, 8, -1));
    }
  }
}

/// Emits for ever, or throws at its third call.
struct Endless : Spout<int> {
  explicit Endless(bool throws) : throws_at_last(throws) {}
  bool next(Output<int>& out) override {
    if (throws_at_last && ++calls == 3) throw std::runtime_error("the line is dead");
    out.emit(1);
    return true;
  }
  bool throws_at_last;
  int calls = 0;
};

TEST(Lifecycle, CleanupComesAfterTheFailureOfAnotherComponent) {
  for (const std::uint32_t executors : {1u, 2u, 4u}) {
    Topology topology("x");
    const auto diary = std::make_shared<Diary>();
    topology.spout("bad", Endless(true)).to(each([](int) {}));
    topology
        .bolt("good", Listening(diary), shuffle(topology.spout("fine", Telling(diary, 1 << 30))))
        .to(each([](int) {}));
    const Ended done = run(topology, {.fuse = false},
                           {.executors = executors, .batch_records_max = 4, .ring_batches_max = 2});
    EXPECT_EQ(done.status.code(), Code::user_code_failed);
    EXPECT_THAT(done.status.message(), HasSubstr("\"bad\" threw"));
    const auto lines = diary->lines();
    EXPECT_EQ(std::count(lines.begin(), lines.end(), "cleanup"), 1);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), "close"), 1);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), "finish"), 0);
  }
}

struct Unopenable : Spout<int> {
  void open(TaskContext&) override { throw std::runtime_error("no such queue"); }
  bool next(Output<int>&) override { return false; }
  void close() override { ADD_FAILURE() << "closed what never opened"; }
};

TEST(Lifecycle, WhatOpenedIsClosedWhenAnotherCannotOpen) {
  Topology topology("x");
  const auto diary = std::make_shared<Diary>();
  topology.spout("fine", Telling(diary)).to(each([](int) {}));
  topology.spout("bad", Unopenable{}).to(each([](int) {}));
  const Ended done = run(topology);
  EXPECT_EQ(done.status.code(), Code::user_code_failed);
  EXPECT_THAT(done.status.message(), HasSubstr("\"bad\" threw while it opened"));
  EXPECT_THAT(diary->lines(), ElementsAre("open fine", "close"));
}

struct Unclosable : Bolt<int, int> {
  void process(const int&, Output<int>&) override {}
  void cleanup() override { throw std::runtime_error("the file is gone"); }
};

TEST(Lifecycle, WhatThrowsAtTheEndIsTheFailureOfTheRun) {
  Topology topology("x");
  topology.bolt("out", Unclosable{}, shuffle(topology.from(records<int>({{1}})))).to(each([](int) {
  }));
  const Ended done = run(topology);
  EXPECT_EQ(done.status.code(), Code::user_code_failed);
  EXPECT_THAT(done.status.message(), HasSubstr("\"out\" threw while it closed"));
  EXPECT_THAT(done.status.message(), HasSubstr("the file is gone"));
}

/// Polls a condition; a test that waits for something that never comes fails after a minute.
template <class Condition>
void await(Condition&& condition) {
  for (int at = 0; at < 60'000 && !condition(); ++at) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(condition());
}

TEST(Activation, ADeactivatedTopologyRestsAndGoesOn) {
  for (const std::uint32_t executors : {1u, 2u}) {
    Topology topology("x");
    const auto diary = std::make_shared<Diary>();
    std::atomic<std::uint64_t> seen = 0;
    const auto count = each([&seen](const auto&) { ++seen; });
    topology.spout("spout", Telling(diary, 1 << 30)).to(count);
    topology.from(generate(std::nullopt, [](std::uint64_t at) { return at; })).to(count);
    const Graph& graph = valid_graph(topology);
    Engine engine(make_plan(graph, {.fuse = false}), {.executors = executors}, real_env());
    engine.deactivate();
    ASSERT_TRUE(engine.start().ok());
    EXPECT_FALSE(engine.wait_for(20ms));
    EXPECT_EQ(seen, 0u);
    engine.activate();
    await([&] { return seen > 1000; });
    engine.deactivate();
    await([&] { return testing::Value(diary->lines(), Contains("deactivate")); });
    std::uint64_t before = 0;
    await([&] { return std::exchange(before, seen.load()) == seen; });  // what was in flight
    await([&] {
      Report report;
      engine.graph().fill(graph, report);
      return check_counts(report, true).ok();
    });
    const std::uint64_t rested = seen;
    EXPECT_FALSE(engine.wait_for(20ms));
    EXPECT_EQ(seen, rested);
    engine.activate();
    await([&] { return seen > rested + 1000; });
    engine.request_stop();
    EXPECT_TRUE(engine.finish().ok());
    const auto lines = diary->lines();
    EXPECT_EQ(std::count(lines.begin(), lines.end(), "activate"), 2);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), "deactivate"), 2);
  }
}

/// Emits one record each `gap` of the clock that the context gives.
struct Slow : Spout<std::int64_t> {
  Slow(Duration between, int records) : gap(between), left(records) {}
  void open(TaskContext& given) override { context = &given; }
  bool next(Output<std::int64_t>& out) override {
    const Time now = context->now().micros;
    if (left > 0 && now < due) return true;
    if (left-- == 0) return false;
    due = now + gap.count();
    out.emit(now);
    return true;
  }
  Duration gap;
  int left;
  Time due = 0;
  TaskContext* context = nullptr;
};

/// Emits at each tick how often it ticked, and the wall time.
struct Ticking : Bolt<std::int64_t, std::int64_t> {
  void prepare(TaskContext& given) override { context = &given; }
  void process(const std::int64_t&, Output<std::int64_t>&) override {}
  void tick(Output<std::int64_t>& out) override { out.emit(context->now().micros); }
  TaskContext* context = nullptr;
};

/// The spout lives for 5 s of the simulated clock; sources are polled each half a millisecond.
TEST(Tick, ComesAtItsIntervalOfTheSimulatedClock) {
  for (const bool fuse : {true, false}) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
      Topology topology("x");
      std::vector<std::int64_t> ticks;
      topology
          .bolt("ticks", Ticking{}, shuffle(topology.spout("slow", Slow(1s, 5))), {.tick = 250ms})
          .to(each([&ticks](std::int64_t at) { ticks.push_back(at); }));
      EXPECT_TRUE(simulate(topology, seed, {.fuse = fuse}).status.ok());
      ASSERT_GE(ticks.size(), 15u);
      ASSERT_LE(ticks.size(), 17u);
      for (std::size_t at = 0; at < ticks.size(); ++at) {
        EXPECT_NEAR(static_cast<double>(ticks[at]), 250'000.0 * static_cast<double>(at + 1), 600);
      }
    }
  }
}

struct Counting : Bolt<std::int64_t, int> {
  explicit Counting(std::shared_ptr<std::atomic<int>> shared) : ticks(std::move(shared)) {}
  void process(const std::int64_t&, Output<int>&) override {}
  void tick(Output<int>&) override { ++*ticks; }
  std::shared_ptr<std::atomic<int>> ticks;
};

/// Idle tasks sleep until their tick, and rest does not stop it.
TEST(Tick, ComesToEachTaskWhileNoRecordsCome) {
  for (const std::uint32_t executors : {1u, 3u}) {
    Topology topology("x");
    const auto ticks = std::make_shared<std::atomic<int>>(0);
    topology
        .bolt("ticks", Counting(ticks), shuffle(topology.spout("slow", Slow(1h, 2))),
              {.tasks = 3, .tick = 1ms})
        .to(each([](int) {}));
    const Graph& graph = valid_graph(topology);
    Engine engine(make_plan(graph, {}), {.executors = executors}, real_env());
    ASSERT_TRUE(engine.start().ok());
    await([&] { return *ticks > 30; });
    engine.deactivate();
    const int before = *ticks;
    await([&] { return *ticks > before + 30; });
    engine.request_stop();
    EXPECT_TRUE(engine.finish().ok());
  }
}

struct Sample {
  std::int64_t time = 0;
  std::int64_t number = 0;
};
/// Emits what it has summed since the last tick, and the rest at the end.
struct Summing : Bolt<Sample, std::int64_t> {
  void process(const Sample& sample, Output<std::int64_t>&) override { sum += sample.number; }
  void tick(Output<std::int64_t>& out) override { finish(out); }
  void finish(Output<std::int64_t>& out) override { out.emit(std::exchange(sum, 0)); }
  std::int64_t sum = 0;
};
std::int64_t same(const std::int64_t& number) { return number; }

/// A window behind a bolt that ticks: what ticks emit has an event time that is not late.
TEST(Tick, WhatItEmitsHasAnEventTime) {
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u}) {
    Topology topology("x");
    std::vector<std::vector<Sample>> samples(1);
    std::int64_t wanted = 0;
    for (std::int64_t at = 0; at < 500; ++at) {
      samples[0].push_back({at * 1000, at});
      wanted += at;
    }
    std::int64_t sum = 0;
    const auto timed = topology.from(records(samples)).event_time(&Sample::time);
    topology.bolt("sums", Summing{}, shuffle(timed), {.tasks = 2, .tick = 5ms})
        .key_by([](const std::int64_t&) { return 0; })
        .window(tumbling(10ms))
        .sum(same)
        .to(each([&sum](const auto& row) { sum += row.value; }));
    const Ended done = simulate(topology, seed, {}, {.batch_records_max = 16, .speed = 1});
    EXPECT_TRUE(done.status.ok()) << done.status.to_string();
    EXPECT_EQ(sum, wanted);
    EXPECT_EQ(done.component("sum").late, 0u);
    EXPECT_GT(done.component("sums").emitted, 100u);
  }
}

}  // namespace
}  // namespace millrace::detail
