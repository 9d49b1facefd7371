// What a report costs where it costs most: 300 components, and 10,000 tasks.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "metrics/history.hpp"
#include "metrics/insights.hpp"
#include "millrace/topology.hpp"
#include "runtime/report_rates.hpp"
#include "runtime/runtime.hpp"
#include "service/metrics_text.hpp"
#include "service/report_json.hpp"

namespace millrace::detail {
namespace {

/// A running engine and its reports.
class RunningTopology {
 public:
  explicit RunningTopology(Topology& topology, PlanOptions plan = {}, RunOptions run = {})
      : graph_(topology.declaration().graph),
        engine_(make_plan(graph_, plan), run, real_env()),
        rates_(real_env().clock->steady_ns()) {
    EXPECT_EQ(engine_.start().to_string(), "ok");
  }
  ~RunningTopology() {
    engine_.request_stop();
    while (!engine_.wait_for(std::chrono::seconds(1))) {
    }
    (void)engine_.finish();
  }
  Report report() {
    Report report;
    RunningSums sums;
    engine_.graph().fill(graph_, report, sums);
    rates_.add(report, std::move(sums), real_env().clock->steady_ns());
    return report;
  }

 private:
  const Graph& graph_;
  Engine engine_;
  ReportRates rates_;
};

struct Count {
  std::int64_t number = 0;
};

struct PassCount : Bolt<Count, Count> {
  void process(const Count& count, Output<Count>& out) override { out.emit(count); }
};

/// `tasks` tasks of each of `components` components in a row.
void declare(Topology& topology, int components, int tasks) {
  auto counts = topology.from(generate(
      std::nullopt, [](std::uint64_t at) { return Count{static_cast<std::int64_t>(at)}; }));
  auto stream = topology.bolt("spread", PassCount{}, shuffle(counts), {.tasks = tasks});
  for (int at = 0; at < components; ++at)
    stream = stream.map([](const Count& count) { return count; });
  stream.to(each([](const Count&) {}));
}

/// Bytes of what is made of a report. How long the quickest of some took is recorded, not judged.
std::size_t cost_bytes(RunningTopology& running) {
  std::size_t bytes = 0;
  using Clock = std::chrono::steady_clock;
  Report before = running.report();
  History history;
  double best = 1e9;
  for (int turn = 0; turn < 5; ++turn) {
    const auto start = Clock::now();
    Report now = running.report();
    add_insights(before, now);
    history.add(now);
    bytes = to_json(now).size() + to_prometheus(now).size();
    best = std::min(best, std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    before = std::move(now);
  }
  ::testing::Test::RecordProperty("milliseconds", std::to_string(best));
  ::testing::Test::RecordProperty("bytes", std::to_string(bytes));
  return bytes;
}

TEST(ReportCost, OfThreeHundredComponents) {
  Topology topology("t");
  declare(topology, 300, 1);
  RunningTopology running(topology);
  EXPECT_LT(cost_bytes(running), 1'000'000u);
  EXPECT_EQ(running.report().components.size(), 303u);
}

TEST(ReportCost, OfTenThousandTasks) {
  Topology topology("t");
  declare(topology, 79, 125);
  RunningTopology running(topology, {.fuse = false}, {.ring_batches_max = 2});
  EXPECT_LT(cost_bytes(running), 1'000'000u) << "the feed leaves the tasks out";
  const Report report = running.report();
  EXPECT_GE(report.tasks.size(), 10'000u);
  EXPECT_GT(tasks_json(report).size(), 1'000'000u);
}

}  // namespace
}  // namespace millrace::detail
