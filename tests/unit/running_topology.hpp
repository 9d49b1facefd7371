// RunningTopology: a topology on a real engine for tests, with the reports that a page would get.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "env/env.hpp"
#include "metrics/report.hpp"
#include "millrace/topology.hpp"
#include "runtime/report_rates.hpp"
#include "runtime/runtime.hpp"

namespace millrace::detail {

/// Starts at once; stops and joins at the end of its life.
class RunningTopology {
 public:
  explicit RunningTopology(Topology& topology, PlanOptions plan = {}, RunOptions run = {})
      : declaration_(topology.declaration()),
        engine_(make_plan(declaration_.graph, plan), run, real_env()),
        rates_(real_env().clock->steady_ns()) {
    started_ = engine_.start();
  }
  ~RunningTopology() { (void)stop(); }
  RunningTopology(const RunningTopology&) = delete;
  RunningTopology& operator=(const RunningTopology&) = delete;

  const Status& started() const { return started_; }
  Engine& engine() { return engine_; }

  Report report() {
    Report report;
    RunningSums sums;
    engine_.graph().fill(declaration_.graph, report, sums);
    report.state = "running";
    rates_.add(report, std::move(sums), real_env().clock->steady_ns());
    for (const auto& view : declaration_.views) report.views.push_back(view->snapshot());
    return report;
  }

  /// Reports, about ten a second, until one pleases; the last one after 20 seconds.
  Report report_when(const std::function<bool(const Report& before, const Report& now)>& pleases) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    Report before = report();
    for (;;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      Report now = report();
      if (pleases(before, now) || std::chrono::steady_clock::now() > give_up) {
        before_ = before;
        return now;
      }
      before = std::move(now);
    }
  }
  /// The report before the one that report_when() returned.
  const Report& before() const { return before_; }

  void wait() {
    while (!engine_.wait_for(std::chrono::seconds(1))) {
    }
  }
  Status stop() {
    engine_.request_stop();
    wait();
    return engine_.finish();
  }

 private:
  Declaration& declaration_;
  Engine engine_;
  ReportRates rates_;
  Status started_;
  Report before_;
};

inline const ComponentReport& component_of(const Report& report, std::string_view name) {
  for (const ComponentReport& component : report.components) {
    if (component.name == name) return component;
  }
  static const ComponentReport kNone;
  return kNone;
}

}  // namespace millrace::detail
