// Hard braking: when the speed of a car falls by 1 m/s or more within half a second.
// usage: hard_braking DRIVE.csv [flags], a file with the columns t (s), channel, values
#include <charconv>
#include <cmath>
#include <cstdio>

#include "millrace/millrace.hpp"
#include "millrace/rules.hpp"

using namespace millrace;

struct Sample {
  double t = 0;
  std::string_view channel;
  std::string_view values;

  Timestamp time() const { return {std::llround(t * 1e6)}; }
  double speed() const {
    double number = 0;
    std::from_chars(values.data(), values.data() + values.size(), number);
    return number;
  }
};

struct Braking {
  Timestamp time;
  double speed = 0;
};

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: hard_braking DRIVE.csv [flags]\n", stderr);
    return 64;
  }
  Topology drive("drive");
  const auto speeds = drive.from(csv<Sample>(argv[1]))
                          .event_time(&Sample::time)
                          .filter([](const Sample& sample) { return sample.channel == "speed"; })
                          .key_by(&Sample::channel);
  using Event = RuleEvent<std::string_view>;
  watch(speeds, &Sample::speed, falls_by(1, 500ms))
      .named("braking")
      .filter([](const Event& event) { return event.began; })
      .map([](const Event& event) { return Braking{event.time, event.value}; })
      .to(print());
  argv[1] = argv[0];
  return run(drive, argc - 1, argv + 1);
}
