// Sensors that are too hot for half a minute, and those that fall silent: an event when it begins,
// and one when it ends.
#include <string_view>

#include "millrace/millrace.hpp"
#include "millrace/rules.hpp"

using namespace millrace;

struct Reading {
  std::int64_t ts_ms = 0;
  std::string_view sensor;
  double celsius = 0;

  Timestamp time() const { return {ts_ms * 1000}; }
};

struct Alarm {
  Timestamp time;
  std::string_view sensor;
  std::string_view what;
  Timestamp since;
  double celsius = 0;
};

using Event = RuleEvent<std::string_view>;

Alarm heat(const Event& event) {
  return {event.time, event.key, event.began ? "too hot" : "cooled down", event.since, event.value};
}
Alarm silence(const Event& event) {
  return {event.time, event.key, event.began ? "silent" : "back", event.since, event.value};
}

int main(int argc, char** argv) {
  Topology plant("plant");
  const auto sensors = plant.from(csv<Reading>("examples/readings.csv"))
                           .event_time(&Reading::time, {.out_of_order = 10s})
                           .key_by(&Reading::sensor);
  const auto hot =
      watch(sensors, &Reading::celsius, above(90).until_below(80).lasting(30s)).named("hot");
  const auto silent = watch(sensors, &Reading::celsius, silent_for(1min)).named("silent");
  hot.map(heat).merge(silent.map(silence)).to(print());
  return run(plant, argc, argv);
}
