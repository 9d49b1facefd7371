// Tests of the demo `machine` over a made-up computer, in simulated time.
#include "apps/machine_watch.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "env/sim_env.hpp"
#include "runtime/simulation.hpp"

namespace millrace::apps {
namespace {

/// A computer whose memory in use follows a list, a percent for each time it is asked.
class MadeUpProc final : public detail::Files {
 public:
  explicit MadeUpProc(std::vector<int> memory_percents) : percents_(std::move(memory_percents)) {}

  Result<std::unique_ptr<detail::ByteReader>> open_read(const std::string& path) override {
    if (path == "/proc/meminfo") {
      const int used = percents_[std::min(asked_++, percents_.size() - 1)];
      files_.put(path, "MemTotal: 100 kB\nMemAvailable: " + std::to_string(100 - used) + " kB\n");
    }
    return files_.open_read(path);
  }
  Result<std::unique_ptr<detail::ByteWriter>> open_write(const std::string& path,
                                                         bool append) override {
    return files_.open_write(path, append);
  }
  Result<std::vector<std::string>> list(const std::string& pattern) override {
    return files_.list(pattern);
  }
  Result<std::unique_ptr<detail::ByteReader>> follow(const std::string& path) override {
    return files_.follow(path);
  }
  Result<detail::DiskSpace> space(const std::string& path) override { return files_.space(path); }

 private:
  std::vector<int> percents_;
  std::size_t asked_ = 0;
  detail::SimFiles files_;
};

struct Watched {
  detail::Report report;
  std::map<std::string, detail::ViewReport> views;
  std::uint64_t raised = 0;
  std::uint64_t cleared = 0;
};

/// Watches until as many readings were made as there are percents: a round has two.
Watched watch(const std::vector<int>& percents, const MachineLimits& limits) {
  Topology topology("machine");
  auto counts = std::make_shared<AlertCounts>();
  declare_machine(topology, {.interval = 1s}, limits, counts);
  detail::SimEnv env(1);
  MadeUpProc proc(percents);
  env.env().files = &proc;
  detail::RunOptions options;
  options.limit = 2 * (percents.size() - 1);
  const detail::Graph& graph = topology.declaration().graph;
  EXPECT_TRUE(graph.validate().empty());
  detail::Simulation simulation(graph, detail::make_plan(graph, {}), options, env, {.seed = 1});
  const auto outcome = simulation.run();
  EXPECT_TRUE(outcome) << outcome.error().to_string();
  Watched seen;
  seen.report = simulation.report();
  for (const auto& shown : topology.declaration().views)
    seen.views[shown->name()] = shown->snapshot();
  seen.raised = counts->raised;
  seen.cleared = counts->cleared;
  return seen;
}

TEST(MachineDemo, RaisesAndClearsAnAlertOfMemory) {
  // The first percent is what the source looks at when it opens.
  const Watched seen = watch({0, 50, 91, 89, 91, 92, 93, 85, 81, 79, 50}, {.samples = 3});
  EXPECT_EQ(seen.raised, 1u);
  EXPECT_EQ(seen.cleared, 1u);
  const auto& alerts = seen.views.at("Alerts").rows;
  ASSERT_EQ(alerts.size(), 2u);
  const auto text = [](const detail::Cell& cell) { return std::get<std::string>(cell); };
  EXPECT_EQ(text(alerts[0][3]), "cleared") << "the newest comes first";
  EXPECT_EQ(std::get<double>(alerts[0][4]), 79);
  EXPECT_EQ(std::get<double>(alerts[0][5]), 80);
  EXPECT_EQ(text(alerts[1][1]), "memory");
  EXPECT_EQ(text(alerts[1][2]), "used");
  EXPECT_EQ(text(alerts[1][3]), "raised");
  EXPECT_EQ(std::get<double>(alerts[1][4]), 93);
  const auto& memory = seen.views.at("Memory");
  EXPECT_EQ(memory.kind, "number");
  EXPECT_EQ(memory.unit, "%");
  ASSERT_EQ(memory.lines.size(), 1u);
  EXPECT_EQ(memory.lines[0].points.size(), 10u);
  EXPECT_EQ(memory.lines[0].points.back().y, 50);
}

TEST(MachineDemo, AQuietComputerRaisesNothing) {
  const Watched seen = watch({0, 10, 20, 89, 90, 90, 90, 90}, {});
  EXPECT_EQ(seen.raised, 0u);
  EXPECT_TRUE(seen.views.at("Alerts").rows.empty());
}

TEST(MachineDemo, LimitsAreOfWholeSharesOnly) {
  const MachineLimits limits{.cpu = 90, .samples = 4};
  const auto of = [&](std::string_view metric, std::string_view instance) {
    return limits_of({Timestamp{0}, metric, instance, 0, "%"}, limits);
  };
  EXPECT_EQ(of("cpu", "total").high, 90);
  EXPECT_EQ(of("cpu", "total").low, 80);
  EXPECT_EQ(of("cpu", "total").samples, 4u);
  EXPECT_TRUE(std::isinf(of("cpu", "0").high)) << "one busy core is no alarm";
  EXPECT_TRUE(std::isinf(of("swap", "used").high));
  EXPECT_EQ(of("disk", "/home").high, 95);
  EXPECT_EQ(of("pressure", "io").high, 50);
}

}  // namespace
}  // namespace millrace::apps
