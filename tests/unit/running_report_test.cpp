// What a report says of a paced replay while it runs: the records let go, and how far the watermark
// lags.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "env/env.hpp"
#include "millrace/topology.hpp"
#include "runtime/runtime.hpp"

namespace millrace {
namespace {

struct Tick {
  Timestamp time;
};

Tick tick_at(Duration time) { return {Timestamp{time.count()}}; }

detail::Report report_of(const detail::Engine& engine, const detail::Graph& graph) {
  detail::Report report;
  engine.graph().fill(graph, report);
  return report;
}

TEST(RunningReport, CountsWhatAReplayLetGoAndTheLagOfItsWatermark) {
  Topology topology("ticks");
  // At 1,000 times its speed the second record is due 10 ms after the first, the third after an
  // hour: it is read ahead and held.
  topology.from(records<Tick>({{tick_at(0s), tick_at(10s), tick_at(1000h)}}))
      .event_time(&Tick::time, {.out_of_order = 4s})
      .to(each([](const Tick&) {}));
  const detail::Graph& graph = topology.declaration().graph;
  detail::RunOptions options;
  options.speed = 1000;
  detail::Engine engine(detail::make_plan(graph, {}), options, detail::real_env());
  ASSERT_EQ(engine.start().to_string(), "ok");

  detail::Report report;
  const auto give_up = std::chrono::steady_clock::now() + 20s;
  do {
    std::this_thread::sleep_for(1ms);
    report = report_of(engine, graph);
  } while (report.records_out < 2 && std::chrono::steady_clock::now() < give_up);
  // The watermark follows its records at once, but in a step of its own.
  std::this_thread::sleep_for(20ms);
  report = report_of(engine, graph);
  EXPECT_EQ(report.records_in, 2u);
  EXPECT_EQ(report.records_out, 2u);
  EXPECT_EQ(report.watermark, Time{6'000'000});
  EXPECT_EQ(report.watermark_lag_ms, 4000);

  engine.request_stop();
  while (!engine.wait_for(1s)) {
  }
  EXPECT_EQ(engine.finish().to_string(), "ok");
  EXPECT_EQ(report_of(engine, graph).records_in, 3u);
}

TEST(RunningReport, AtTheEndThereIsNoLag) {
  Topology topology("ticks");
  topology.from(records<Tick>({{tick_at(0s), tick_at(10s)}}))
      .event_time(&Tick::time, {.out_of_order = 4s})
      .to(each([](const Tick&) {}));
  const detail::Graph& graph = topology.declaration().graph;
  detail::Engine engine(detail::make_plan(graph, {}), {}, detail::real_env());
  ASSERT_EQ(engine.start().to_string(), "ok");
  while (!engine.wait_for(1s)) {
  }
  EXPECT_EQ(engine.finish().to_string(), "ok");
  const detail::Report report = report_of(engine, graph);
  EXPECT_EQ(report.records_in, 2u);
  EXPECT_EQ(report.watermark, kTimeMax);
  EXPECT_EQ(report.watermark_lag_ms, std::nullopt);
}

}  // namespace
}  // namespace millrace
