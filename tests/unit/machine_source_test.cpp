// Tests of the machine source over canned files and a simulated clock.
#include "connector/machine_source.hpp"

#include <gtest/gtest.h>

#include <map>

#include "millrace/millrace.hpp"
#include "simulated_run.hpp"
#include "source_harness.hpp"

namespace millrace::detail {
namespace {

using Round = std::map<std::string, double>;

struct Machine {
  Machine() {
    put(100, 900, 5000);
    harness.env.files.put("/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 250 kB\n");
    harness.env.files.put("/proc/self/mounts",
                          "/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /gone xfs rw 0 0\n");
    harness.env.files.put_space("/", {1000, 300, 200});
  }
  /// A busy and an idle core, and an interface.
  void put(int busy, int idle, int received) {
    const std::string ticks = std::to_string(busy) + " 0 0 " + std::to_string(idle);
    harness.env.files.put("/proc/stat", "cpu " + ticks + "\ncpu0 " + ticks + "\n");
    harness.env.files.put(
        "/proc/net/dev", "eth0: " + std::to_string(received) + " 0 0 0 0 0 0 0 70 0 0 0 0 0 0 0\n");
  }
  void put_pressure() {
    for (const char* what : {"cpu", "memory", "io"}) {
      harness.env.files.put(std::string("/proc/pressure/") + what, "some avg10=1.50 avg60=0\n");
    }
  }
  /// One poll; nullopt when it was not time yet.
  std::optional<Round> poll(MachineSource& source) {
    Batch<MachineReading> batch;
    const auto outcome = source.poll(batch);
    if (!outcome || *outcome == Poll::idle) {
      EXPECT_TRUE(batch.values.empty());
      return std::nullopt;
    }
    Round round;
    for (const MachineReading& reading : batch.values) {
      EXPECT_EQ(reading.time.micros, harness.env.clock.wall_us());
      round[std::string(reading.metric) + " " + std::string(reading.instance) + " " +
            std::string(reading.unit)] = reading.value;
    }
    return round;
  }
  SourceHarness harness;
};

TEST(MachineSource, MeasuresWhatThereIs) {
  Machine machine;
  MachineSource source({});
  ASSERT_TRUE(source.open(machine.harness.context).ok());
  const Round at_first = {{"memory used %", 75},
                          {"memory bytes used bytes", 750 * 1024},
                          {"disk / %", 100.0 * 700 / 900},
                          {"disk free / bytes", 200}};
  EXPECT_EQ(machine.poll(source), at_first) << "shares and rates need a round before";
  machine.put(130, 970, 7000);
  machine.put_pressure();
  machine.harness.env.clock.advance(std::chrono::seconds(2));
  Round then = at_first;
  then.insert({{"cpu total %", 30},
               {"cpu 0 %", 30},
               {"network received eth0 bytes/s", 1000},
               {"network sent eth0 bytes/s", 0},
               {"pressure cpu %", 1.5},
               {"pressure memory %", 1.5},
               {"pressure io %", 1.5}});
  EXPECT_EQ(machine.poll(source), then);
  EXPECT_EQ(source.records_read(), at_first.size() + then.size());
}

TEST(MachineSource, KeepsItsIntervalAndMakesUpForNothing) {
  Machine machine;
  MachineSource source({.interval = 500ms});
  ASSERT_TRUE(source.open(machine.harness.context).ok());
  EXPECT_TRUE(machine.poll(source));
  EXPECT_FALSE(machine.poll(source));
  machine.harness.env.clock.advance(499ms);
  EXPECT_FALSE(machine.poll(source));
  machine.harness.env.clock.advance(1ms);
  EXPECT_TRUE(machine.poll(source));
  machine.harness.env.clock.advance(10s);
  EXPECT_TRUE(machine.poll(source));
  EXPECT_FALSE(machine.poll(source));
}

TEST(MachineSource, CountersThatBeginAgainAreNoLeap) {
  Machine machine;
  MachineSource source({});
  ASSERT_TRUE(source.open(machine.harness.context).ok());
  ASSERT_TRUE(machine.poll(source));
  machine.put(10, 20, 5);
  machine.harness.env.clock.advance(1s);
  const auto round = machine.poll(source);
  ASSERT_TRUE(round);
  EXPECT_EQ(round->count("cpu total %"), 0u);
  EXPECT_EQ(round->at("network received eth0 bytes/s"), 0);
}

TEST(MachineSource, WithoutProcSaysSo) {
  SourceHarness harness;
  MachineSource source({});
  const Status status = source.open(harness.context);
  EXPECT_EQ(status.code(), Code::source_failed);
  EXPECT_NE(status.message().find("/proc/stat"), std::string::npos);
}

TEST(MachineSource, RefusesAnIntervalOfNothing) {
  Machine machine;
  MachineSource source({.interval = 0s});
  EXPECT_EQ(source.open(machine.harness.context).code(), Code::parameter_invalid);
}

TEST(MachineSource, FeedsATopologyInSimulatedTime) {
  Topology topology("machine");
  int readings = 0;
  topology.from(machine({.interval = 1s}))
      .event_time(&MachineReading::time)
      .filter([](const MachineReading& reading) { return reading.metric == "memory"; })
      .to(each([&readings](const MachineReading&) { ++readings; }));
  Machine files;
  SimEnv& env = files.harness.env;
  RunOptions options;
  options.limit = 50;
  const Graph& graph = topology.declaration().graph;
  Simulation simulation(graph, make_plan(graph, {}), options, env, {.seed = 3});
  const auto outcome = simulation.run();
  ASSERT_TRUE(outcome) << outcome.error().to_string();
  EXPECT_GE(readings, 5);
  EXPECT_NEAR(static_cast<double>(env.clock.steady_ns()) / 1e9, readings, 2);
}

TEST(PosixFiles, KnowTheSpaceOfADisk) {
  const auto space = real_env().files->space("/");
  ASSERT_TRUE(space);
  EXPECT_GT(space->total_bytes, 0u);
  EXPECT_LE(space->free_bytes, space->total_bytes);
  const auto none = real_env().files->space("/no/such/folder");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::source_failed);
}

}  // namespace
}  // namespace millrace::detail
