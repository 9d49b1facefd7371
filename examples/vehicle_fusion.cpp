// The sensors of a car as one: each speed with the steering and the acceleration that were measured
// nearest to it in time, for they come at rates of their own.
// usage: vehicle_fusion DRIVE.csv [flags], a file with the columns t (s), channel, values
#include <charconv>
#include <cmath>
#include <cstdio>

#include "millrace/millrace.hpp"

using namespace millrace;

struct Sample {
  double t = 0;
  std::string_view channel;
  std::string_view values;  // of three axes: x;y;z

  Timestamp time() const { return {std::llround(t * 1e6)}; }
  int car() const { return 0; }
  double value() const {
    double number = 0;
    std::from_chars(values.data(), values.data() + values.size(), number);
    return number;
  }
};

struct Turn {
  Timestamp time;
  double speed = 0;
  std::optional<double> steering;
  int car = 0;
};

struct Motion {
  Timestamp time;
  double speed = 0;
  std::optional<double> steering;
  std::optional<double> acceleration;
};

std::optional<double> value_of(const Sample* sample) {
  return sample != nullptr ? std::optional(sample->value()) : std::nullopt;
}

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: vehicle_fusion DRIVE.csv [flags]\n", stderr);
    return 64;
  }
  Topology car("vehicle");
  const auto of = car.from(csv<Sample>(argv[1]))
                      .event_time(&Sample::time)
                      .split(&Sample::channel, "speed", "steer", "accel");
  of["speed"]
      .key_by(&Sample::car)
      .as_of(of["steer"].key_by(&Sample::car))
      .nearest(20ms)
      .left([](const Sample& speed, const Sample* steer) {
        return Turn{speed.time(), speed.value(), value_of(steer)};
      })
      .named("turns")
      .key_by(&Turn::car)
      .as_of(of["accel"].key_by(&Sample::car))
      .nearest(20ms)
      .left([](const Turn& turn, const Sample* accel) {
        return Motion{turn.time, turn.speed, turn.steering, value_of(accel)};
      })
      .named("motion")
      .to(print());
  argv[1] = argv[0];
  return run(car, argc - 1, argv + 1);
}
