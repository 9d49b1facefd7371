// One source, one filter for each thing to look at, alerts by metric and instance.
#include "machine_watch.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::apps {
namespace {

/// An alert is cleared below this share of the limit that raised it.
constexpr double kClearShare = 8.0 / 9.0;
/// About ten minutes of a measurement a second for each of a few lines.
constexpr std::size_t kPointsMax = 2000;

/// What the page draws: tenths are enough for eyes.
struct Measure {
  Timestamp time;
  std::string_view instance;
  double value = 0;
};

/// The readings of a metric as they are drawn; of one instance only, unless it is empty.
auto measures(std::string_view metric, std::string_view instance = {}) {
  return [=](const MachineReading& reading, Output<Measure>& out) {
    if (reading.metric != metric || (!instance.empty() && reading.instance != instance)) return;
    out.emit({reading.time, reading.instance, std::round(reading.value * 10) / 10});
  };
}

void show_number(const Stream<MachineReading>& readings, const char* title, std::string_view metric,
                 std::string_view instance) {
  readings.flat_map(measures(metric, instance))
      .named(std::string(metric) + " now")
      .to(view(title, {.kind = ViewKind::number, .rows_max = 120, .y = {"value"}, .unit = "%"}));
}

void show_lines(const Stream<MachineReading>& readings, const char* title, std::string_view metric,
                const char* unit) {
  readings.flat_map(measures(metric))
      .named(std::string(metric) + " over time")
      .to(view(title, {.kind = ViewKind::line,
                       .rows_max = kPointsMax,
                       .y = {"value"},
                       .series = "instance",
                       .unit = unit}));
}

}  // namespace

AlertLimits limits_of(const MachineReading& reading, const MachineLimits& limits) {
  double high = std::numeric_limits<double>::infinity();
  if (reading.metric == "cpu" && reading.instance == "total") high = limits.cpu;
  if (reading.metric == "memory") high = limits.memory;
  if (reading.metric == "disk") high = limits.disk;
  if (reading.metric == "pressure") high = limits.pressure;
  return {.high = high, .low = high * kClearShare, .samples = limits.samples};
}

void declare_machine(Topology& topology, const MachineOptions& options, const MachineLimits& limits,
                     std::shared_ptr<AlertCounts> counts) {
  auto readings = topology.from(machine(options))
                      .named("readings")
                      .event_time(&MachineReading::time)
                      .named("event time");

  show_number(readings, "Processors", "cpu", "total");
  show_number(readings, "Memory", "memory", "used");
  show_number(readings, "Disk /", "disk", "/");
  show_lines(readings, "Processors over time", "cpu", "%");
  show_lines(readings, "Pressure over time", "pressure", "%");
  show_lines(readings, "Network received", "network received", "bytes/s");

  auto alerts =
      readings.filter([](const MachineReading& reading) { return reading.unit == "%"; })
          .named("shares")
          .key_by(&MachineReading::metric, &MachineReading::instance)
          .alert(&MachineReading::value,
                 [limits](const MachineReading& reading) { return limits_of(reading, limits); })
          .named("alerts");
  alerts.to(view("Alerts"));
  alerts
      .to(each([counts = std::move(counts)](const auto& alert) {
        ++(alert.raised ? counts->raised : counts->cleared);
      }))
      .named("counted");
}

}  // namespace millrace::apps
