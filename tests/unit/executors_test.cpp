// Tests of executors with real threads: they come and go with the load, and a step that does not
// return holds up nobody else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "env/sim_env.hpp"
#include "millrace/topology.hpp"
#include "runtime/runtime.hpp"
#include "runtime/simulation.hpp"

namespace millrace::detail {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr std::chrono::seconds kGenerous{120};

/// The machine's clock and files; processors that the test owns.
class OwnProcessors {
 public:
  explicit OwnProcessors(double processors) : env_(real_env()) {
    cpus_.set({.processors = processors, .quota = processors});
    env_.cpus = &cpus_;
  }
  Env& env() { return env_; }

 private:
  SimCpus cpus_;
  Env env_;
};

/// Polls until `condition` holds; false after a generous time.
bool comes(const std::function<bool()>& condition) {
  const auto start = std::chrono::steady_clock::now();
  while (!condition()) {
    if (std::chrono::steady_clock::now() - start > kGenerous) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

/// A run that a test looks at and ends.
class Running {
 public:
  Running(Topology& topology, const RunOptions& options, Env& env, std::uint32_t parallelism = 1)
      : graph_(topology.declaration().graph),
        engine_(make_plan(graph_, {.parallelism = parallelism}), options, env) {
    EXPECT_TRUE(graph_.validate().empty());
    EXPECT_TRUE(engine_.start().ok());
  }
  Report report() const {
    Report report;
    RunningSums sums;
    engine_.fill(graph_, report, sums);
    return report;
  }
  void end() {
    engine_.request_stop();
    const Status status = engine_.finish();
    EXPECT_TRUE(status.ok()) << status.to_string();
    const Status counts = check_counts(report(), true);
    EXPECT_TRUE(counts.ok()) << counts.to_string();
  }
  Engine& engine() { return engine_; }

 private:
  const Graph& graph_;
  Engine engine_;
};

/// Numbers, as many as go or about a thousand a second.
struct Numbers : Spout<std::int64_t> {
  struct Control {
    std::atomic<bool> all{false};
    std::atomic<std::int64_t> made{0};
  };
  explicit Numbers(std::shared_ptr<Control> control) : control_(std::move(control)) {}
  bool next(Output<std::int64_t>& out) override {
    const auto now = std::chrono::steady_clock::now();
    if (!control_->all && now < due_) return true;
    due_ = now + 1ms;
    out.emit(control_->made.fetch_add(1));
    return true;
  }

 private:
  std::shared_ptr<Control> control_;
  std::chrono::steady_clock::time_point due_;
};

/// Computes for about as long as it takes to make a record, and some more.
struct Work : Bolt<std::int64_t, std::int64_t> {
  void process(const std::int64_t& number, Output<std::int64_t>& out) override {
    std::uint64_t word = static_cast<std::uint64_t>(number);
    for (int at = 0; at < 2000; ++at) word = word * 6364136223846793005u + 1442695040888963407u;
    out.emit(word == 0 ? number + 1 : number);
  }
};

TEST(Executors, ComeAndGoWithTheLoadAndLoseNothing) {
  OwnProcessors two(2);
  auto control = std::make_shared<Numbers::Control>();
  Topology topology("x");
  std::atomic<std::int64_t> seen = 0;
  std::atomic<std::int64_t> sum = 0;
  topology.bolt("work", Work{}, shuffle(topology.spout("numbers", Numbers(control))), {.tasks = 2})
      .to(each([&](const std::int64_t& number) {
        ++seen;
        sum += number;
      }));
  RunOptions options{.executors = 0};
  options.scaling.calm_ns = 500'000'000;     // five seconds are for people
  options.slow_step_ns = 3'600'000'000'000;  // on a loaded machine any step may be slow
  Running run(topology, options, two.env());
  EXPECT_TRUE(comes([&] { return seen > 100; }));
  EXPECT_EQ(run.report().executors, 1u);
  control->all = true;
  EXPECT_TRUE(comes([&] { return run.report().executors == 2; }));
  const std::int64_t before = seen;
  EXPECT_TRUE(comes([&] { return seen > before + 10'000; })) << "two executors go on";
  control->all = false;
  EXPECT_TRUE(comes([&] { return run.report().executors == 1; }));
  const std::int64_t after = seen;
  EXPECT_TRUE(comes([&] { return seen > after + 100; })) << "and one again";
  run.end();
  const std::int64_t made = control->made;
  EXPECT_EQ(seen, made);
  EXPECT_EQ(sum, made * (made - 1) / 2);
  const Report report = run.report();
  EXPECT_EQ(report.executors, 1u);
  EXPECT_EQ(report.executors_most, 2u);
  EXPECT_GE(report.executors_added, 1u);
  EXPECT_EQ(report.executors_added, report.executors_removed);
  ASSERT_GE(report.executor_changes.size(), 2u);
  EXPECT_THAT(report.executor_changes.back().text, HasSubstr("executor 2 added: executor 1 was"));
  EXPECT_THAT(report.executor_changes.back().text, HasSubstr("\"work\""));
  EXPECT_THAT(report.executor_changes.front().text, HasSubstr("removed: it was"));
}

TEST(Executors, StayOneWhereOthersUseTheProcessors) {
  OwnProcessors one(1);
  auto control = std::make_shared<Numbers::Control>();
  control->all = true;
  Topology topology("x");
  std::atomic<std::int64_t> seen = 0;
  topology.bolt("work", Work{}, shuffle(topology.spout("numbers", Numbers(control))), {.tasks = 2})
      .to(each([&](const std::int64_t&) { ++seen; }));
  Running run(topology, {.executors = 0}, one.env());
  // The share is smoothed over longer than it takes to add an executor.
  EXPECT_TRUE(comes([&] {
    const Report report = run.report();
    return std::ranges::any_of(report.executor_threads,
                               [](const auto& thread) { return thread.busy_share > 0.8; });
  }));
  // Nothing is said of steps that a loaded machine lets wait: their neighbours may get an executor.
  for (const auto& change : run.report().executor_changes) {
    EXPECT_THAT(change.text, Not(HasSubstr(" added: executor ")));
  }
  run.end();
  EXPECT_EQ(seen, control->made);
}

/// A component that waits until the test lets it go.
struct Gate {
  std::atomic<bool> closed{true};
  std::atomic<bool> reached{false};
  void pass() {
    reached = true;
    while (closed) std::this_thread::sleep_for(1ms);
  }
};

/// Two flows that do not know each other; the first one waits at the gate with its first record.
struct TwoFlows {
  explicit TwoFlows(bool blocking) {
    auto slow = topology.spout("slow numbers", Numbers(slow_control));
    topology.bolt("waits", Passing(gate), shuffle(slow), {.tasks = 1})
        .to(each([this](const std::int64_t&) { ++slow_seen; }));
    topology.spout("numbers", Numbers(control)).to(each([this](const std::int64_t&) { ++seen; }));
    Graph& graph = topology.declaration().graph;
    for (NodeId id = 0; id < graph.nodes().size(); ++id) {
      if (graph.node(id).name == "waits") graph.node(id).blocking = blocking;
    }
  }
  struct Passing : Bolt<std::int64_t, std::int64_t> {
    explicit Passing(std::shared_ptr<Gate> at) : gate(std::move(at)) {}
    void process(const std::int64_t& number, Output<std::int64_t>& out) override {
      if (number == 0) gate->pass();
      out.emit(number);
    }
    std::shared_ptr<Gate> gate;
  };

  Topology topology{"x"};
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  std::shared_ptr<Numbers::Control> slow_control = std::make_shared<Numbers::Control>();
  std::shared_ptr<Numbers::Control> control = std::make_shared<Numbers::Control>();
  std::atomic<std::int64_t> slow_seen = 0;
  std::atomic<std::int64_t> seen = 0;
};

TEST(Executors, AStepThatDoesNotReturnIsNamedAndHoldsUpNobodyElse) {
  OwnProcessors two(2);
  TwoFlows flows(false);
  Running run(flows.topology, {.executors = 1}, two.env());
  EXPECT_TRUE(comes([&] { return flows.gate->reached.load(); }));
  EXPECT_TRUE(comes([&] { return !run.report().slow_steps.empty(); }));
  const SlowStepReport slow = run.report().slow_steps.front();
  EXPECT_EQ(slow.component, "waits");
  EXPECT_TRUE(slow.running);
  const std::int64_t before = flows.seen;
  EXPECT_TRUE(comes([&] { return flows.seen > before + 50; }));
  EXPECT_EQ(flows.slow_seen, 0);
  flows.gate->closed = false;
  EXPECT_TRUE(comes([&] { return flows.slow_seen > 50; })) << "it comes back";
  EXPECT_TRUE(comes([&] { return !run.report().slow_steps.front().running; }));
  run.end();
  EXPECT_EQ(flows.slow_seen, flows.slow_control->made);
  EXPECT_EQ(flows.seen, flows.control->made);
}

/// Ends at once, and says so when it closes.
struct Short : Spout<std::int64_t> {
  explicit Short(std::shared_ptr<std::atomic<bool>> flag) : closed(std::move(flag)) {}
  bool next(Output<std::int64_t>&) override { return false; }
  void close() override { *closed = true; }
  std::shared_ptr<std::atomic<bool>> closed;
};
/// Emits one record once the flag is up.
struct AfterThat : Spout<std::int64_t> {
  explicit AfterThat(std::shared_ptr<std::atomic<bool>> flag) : wait_for(std::move(flag)) {}
  bool next(Output<std::int64_t>& out) override {
    if (!*wait_for) return true;
    out.emit(1);
    return false;
  }
  std::shared_ptr<std::atomic<bool>> wait_for;
};

TEST(Executors, ATaskThatEndedInTheRoundThatWasCutOffIsForgotten) {
  OwnProcessors two(2);
  Topology topology("x");
  const auto closed = std::make_shared<std::atomic<bool>>(false);
  Gate gate;
  std::atomic<int> seen = 0;
  topology.spout("short", Short(closed)).to(each([](const std::int64_t&) {}));
  topology.spout("after", AfterThat(closed)).to(each([&](const std::int64_t&) {
    gate.pass();
    ++seen;
  }));
  auto control = std::make_shared<Numbers::Control>();
  std::atomic<std::int64_t> others = 0;
  topology.spout("numbers", Numbers(control)).to(each([&](const std::int64_t&) { ++others; }));
  Running run(topology, {.executors = 1}, two.env());
  EXPECT_TRUE(comes([&] { return !run.report().slow_steps.empty(); }));
  const std::int64_t before = others;
  EXPECT_TRUE(comes([&] { return others > before + 50; }));
  gate.closed = false;
  run.end();
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(others, control->made);
}

TEST(Executors, AComponentMarkedBlockingHasAThreadOfItsOwn) {
  OwnProcessors two(2);
  TwoFlows flows(true);
  Running run(flows.topology, {.executors = 1}, two.env());
  EXPECT_TRUE(comes([&] { return flows.gate->reached.load(); }));
  const Report report = run.report();
  ASSERT_THAT(report.executor_threads, SizeIs(2));
  EXPECT_EQ(report.executor_threads[1].component, "waits");
  EXPECT_EQ(report.executor_threads[1].tasks, 1u);
  const std::int64_t before = flows.seen;
  EXPECT_TRUE(comes([&] { return flows.seen > before + 50; }));
  flows.gate->closed = false;
  EXPECT_TRUE(comes([&] { return flows.slow_seen > 50; }));
  for (const SlowStepReport& slow : run.report().slow_steps) EXPECT_NE(slow.component, "waits");
  run.end();
  EXPECT_EQ(flows.slow_seen, flows.slow_control->made);
}

TEST(Executors, HundredsOfTasksOnManyExecutorsLoseNothing) {
  OwnProcessors two(2);
  for (const std::uint32_t executors : {0u, 1u, 16u}) {
    Topology topology("x");
    std::atomic<std::int64_t> seen = 0;
    auto stream = topology.spout("numbers", Numbers(std::make_shared<Numbers::Control>()));
    for (int at = 0; at < 40; ++at) {
      stream = topology.bolt("bolt-" + std::to_string(at), Work{}, shuffle(stream), {.tasks = 4});
    }
    stream.to(each([&](const std::int64_t&) { ++seen; }));
    RunOptions options{.executors = executors};
    options.limit = 300;
    const Graph& graph = topology.declaration().graph;
    Engine engine(make_plan(graph, {}), options, two.env());
    ASSERT_TRUE(engine.start().ok());
    EXPECT_TRUE(engine.finish().ok());
    EXPECT_EQ(seen, 300);
  }
}

}  // namespace
}  // namespace millrace::detail
