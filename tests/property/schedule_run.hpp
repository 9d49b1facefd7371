// Runs a declared topology under many schedules and compares what its sinks got.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "millrace/topology.hpp"
#include "runtime/runtime.hpp"
#include "runtime/simulation.hpp"

namespace millrace::property {

/// A row of a sink: what must be equal, and what must agree to 1e-12.
struct OutRow {
  std::string text;
  double number = 0;
  friend bool operator<(const OutRow& a, const OutRow& b) {
    return std::tie(a.text, a.number) < std::tie(b.text, b.number);
  }
};

/// Rows by the name of their sink. Each sink has one task and a list of its own, so the tasks share
/// nothing.
using Rows = std::map<std::string, std::vector<OutRow>>;

/// What a schedule may choose freely.
struct Schedule {
  detail::PlanOptions plan;
  detail::RunOptions run;
  bool simulated = false;
  bool acked = false;  ///< at least once
  std::uint64_t seed = 0;

  std::string to_string() const {
    return fmt::format(
        "parallelism {}, batch {}, ring {}, executors {}, two_phase {}, fuse {}, speed {}, acks "
        "{}, "
        "{}",
        plan.parallelism, run.batch_records_max, run.ring_batches_max, run.executors,
        plan.two_phase, plan.fuse, run.speed, acked,
        simulated ? fmt::format("simulated order {}", seed) : std::string("threads"));
  }
};

inline Schedule draw_schedule(detail::Random& random, bool simulated) {
  Schedule drawn;
  drawn.plan.parallelism = static_cast<std::uint32_t>(1 + random.below(8));
  drawn.plan.fuse = random.chance(0.7);
  drawn.plan.two_phase = random.chance(0.6);
  // Spread over the powers of two, so that small batches and rings are as likely as large ones.
  drawn.run.batch_records_max =
      std::min<std::size_t>(4096, std::size_t{1} << random.below(13)) + random.below(2);
  drawn.run.ring_batches_max = 1 + random.below(std::size_t{1} << random.below(5));
  drawn.run.executors = static_cast<std::uint32_t>(1 + random.below(4));
  drawn.simulated = simulated;
  drawn.acked = random.chance(0.5);
  drawn.seed = random();
  // A replay at a pace: only where the clock is simulated does it cost no time.
  if (simulated && random.chance(0.3)) drawn.run.speed = 1e-3;
  return drawn;
}

/// Seeds of this run: MILLRACE_SEEDS, 40 by default.
inline std::uint64_t seeds() {
  const char* text = std::getenv("MILLRACE_SEEDS");
  const long long count = text ? std::atoll(text) : 0;
  return count > 0 ? static_cast<std::uint64_t>(count) : 40;
}

struct Outcome {
  Rows rows;
  detail::Report report;
  std::uint64_t fingerprint = 0;
  Status status;
};

using Declare = std::function<void(Topology&, Rows&)>;

inline Outcome run_once(const Declare& declare, const Schedule& schedule) {
  Outcome outcome;
  Topology topology("property");
  declare(topology, outcome.rows);
  detail::Graph& graph = topology.declaration().graph;
  for (const Status& problem : graph.validate()) outcome.status = problem;
  if (!outcome.status.ok()) return outcome;
  if (schedule.acked && graph.settings().guarantee == at_most_once) {
    // One try: what user code refuses must not count twice where other branches took it.
    graph.settings().guarantee = at_least_once;
    graph.settings().acks.tries_max = 1;
  }
  detail::Plan plan = detail::make_plan(graph, schedule.plan);
  if (schedule.simulated) {
    detail::SimEnv env(schedule.seed);
    detail::SimulationOptions options;
    options.seed = schedule.seed;
    detail::Simulation simulation(graph, std::move(plan), schedule.run, env, options);
    Result<std::uint64_t> fingerprint = simulation.run();
    outcome.status = fingerprint.error();
    if (fingerprint) outcome.fingerprint = *fingerprint;
    outcome.report = simulation.report();
  } else {
    detail::Engine engine(std::move(plan), schedule.run, detail::real_env());
    outcome.status = engine.start();
    if (outcome.status.ok()) outcome.status = engine.finish();
    engine.graph().fill(graph, outcome.report);
    if (outcome.status.ok()) outcome.status = detail::check_counts(outcome.report, true);
  }
  for (auto& [sink, rows] : outcome.rows) std::sort(rows.begin(), rows.end());
  return outcome;
}

inline bool agrees(const OutRow& a, const OutRow& b) {
  const double scale = std::max(std::abs(a.number), std::abs(b.number));
  return a.text == b.text && std::abs(a.number - b.number) <= 1e-12 * scale;
}

/// The first difference in words; empty when all rows agree.
inline std::string difference(const Rows& expected, const Rows& actual) {
  for (const auto& [sink, wanted] : expected) {
    const auto found = actual.find(sink);
    static const std::vector<OutRow> kNone;
    const std::vector<OutRow>& got = found == actual.end() ? kNone : found->second;
    for (std::size_t at = 0; at < std::max(wanted.size(), got.size()); ++at) {
      if (at < wanted.size() && at < got.size() && agrees(wanted[at], got[at])) continue;
      const auto show = [at](const std::vector<OutRow>& rows) {
        return at < rows.size() ? fmt::format("{} {}", rows[at].text, rows[at].number) : "(none)";
      };
      return fmt::format("sink {}: {} rows expected, {} rows; row {}: expected {}, got {}", sink,
                         wanted.size(), got.size(), at, show(wanted), show(got));
    }
  }
  return expected.size() == actual.size() ? "" : "sinks differ";
}

/// Runs under threads and simulated orders; every run must give `expected`, its counts must add up,
/// and `check` (if any) must like its report. False at the first failure, which is reported with
/// the seed.
inline bool same_for_all_schedules(
    std::uint64_t seed, const Declare& declare, const Rows& expected,
    const std::function<std::string(const detail::Report&)>& check = {}) {
  detail::Random random(seed ^ 0x5eed);
  for (int at = 0; at < 8; ++at) {
    Schedule schedule = at == 0 ? Schedule{} : draw_schedule(random, at % 2 == 0);
    const Outcome outcome = run_once(declare, schedule);
    const auto where = [&] {
      return fmt::format("MILLRACE_SEED={}: {}", seed, schedule.to_string());
    };
    EXPECT_TRUE(outcome.status.ok()) << where() << ": " << outcome.status.to_string();
    const std::string wrong = difference(expected, outcome.rows);
    EXPECT_EQ(wrong, "") << where();
    const std::string disliked = check ? check(outcome.report) : "";
    EXPECT_EQ(disliked, "") << where();
    if (!outcome.status.ok() || !wrong.empty() || !disliked.empty()) return false;
    if (at != 2) continue;
    const Outcome again = run_once(declare, schedule);
    EXPECT_EQ(again.fingerprint, outcome.fingerprint) << where() << ": not repeatable";
    if (again.fingerprint != outcome.fingerprint) return false;
  }
  return true;
}

/// Calls body(seed) for each seed of this run until one fails; MILLRACE_SEED=n runs that one alone.
inline void for_each_seed(const std::function<bool(std::uint64_t)>& body) {
  if (const char* one = std::getenv("MILLRACE_SEED")) {
    body(std::strtoull(one, nullptr, 10));
    return;
  }
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    if (!body(seed)) return;
  }
}

}  // namespace millrace::property
