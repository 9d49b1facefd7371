// Rules that change while the program runs: they come as records; and one notice of a sensor in
// five minutes, however often its rules begin and end.
#include <string>
#include <string_view>

#include "millrace/millrace.hpp"
#include "millrace/notices.hpp"
#include "millrace/rule_sets.hpp"

using namespace millrace;

struct Reading {
  std::int64_t ts_ms = 0;
  std::string_view sensor;
  double celsius = 0;

  Timestamp time() const { return {ts_ms * 1000}; }
};

struct RuleRow {
  std::int64_t ts_ms = 0;
  std::string_view id;
  std::string_view rule;    // empty: the rule is removed
  std::string_view sensor;  // empty: of all

  Timestamp time() const { return {ts_ms * 1000}; }
};

struct Told {
  std::string_view sensor;
  std::string_view rule;
  std::string_view what;
  double celsius = 0;
  std::int64_t held = 0;
  Timestamp since;
};

using Event = RuleSetEvent<std::string_view>;

RuleText text_of(const RuleRow& row) {
  return {std::string(row.id), std::string(row.rule), std::string(row.sensor)};
}
bool is_of(const Reading& reading, std::string_view sensor) { return reading.sensor == sensor; }

Told told(const Notice<Event>& notice) {
  const Event& event = notice.record;
  const std::string_view why = event.began ? "began" : to_string(event.cause);
  return {event.key,   event.rule,  why.empty() ? "ended" : why,
          event.value, notice.held, notice.since};
}

int main(int argc, char** argv) {
  Topology plant("plant");
  const auto rules = plant.from(csv<RuleRow>("examples/rules.csv"))
                         .named("rules")
                         .event_time(&RuleRow::time)
                         .named("rule times")
                         .map(text_of);
  const auto sensors = plant.from(csv<Reading>("examples/readings.csv"))
                           .named("readings")
                           .event_time(&Reading::time, {.out_of_order = 10s})
                           .named("reading times")
                           .key_by(&Reading::sensor);
  const auto events = watch_rules(sensors, &Reading::celsius, rules, is_of).named("alarms");
  notify(events.key_by(&Event::key), {.cool_down = 5min}).named("notices").map(told).to(print());
  return run(plant, argc, argv);
}
