// A car that brakes hard, by a rule, against rows that a plain script computed.
#include "line_fields.hpp"
#include "millrace/rules.hpp"

namespace millrace::golden {
namespace {

struct Speed {
  Timestamp time;
  std::int32_t car = 0;
  double value = 0;
};

void parse_speed(std::string_view line, Output<Speed>& out) {
  const auto fields = split_line(line);
  if (fields[1] != "speed") return;
  out.emit(
      {{static_cast<Time>(std::llround(number_of(fields[0]) * 1e6))}, 1, number_of(fields[2])});
}

class BrakingOverData : public testing::TestWithParam<std::uint32_t> {};

TEST_P(BrakingOverData, FallsByAMetreASecondWithinHalfASecond) {
  const std::string folder = shared_folder("vehicle-minute");
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  Lines found;
  Topology topology("car");
  const auto speeds = topology.from(lines(folder + "vehicle.csv.gz"))
                          .flat_map(parse_speed)
                          .event_time(&Speed::time);
  watch(speeds.key_by(&Speed::car), &Speed::value, falls_by(1, 500ms))
      .filter(&RuleEvent<std::int32_t>::began)
      .to(each([&found](const RuleEvent<std::int32_t>& event) {
        found.push_back(fmt::format("{},{:.6f}", event.time.micros, event.value));
      }));
  run(topology, GetParam(), 1 + GetParam() % 2);
  Lines expected = read_rows(folder + "expected/alerts_braking.csv");
  for (std::string& row : expected) row.resize(row.rfind(','));
  expect_rows("alerts_braking.csv", expected, found);
}

INSTANTIATE_TEST_SUITE_P(Parallelism, BrakingOverData, testing::Range(1u, 9u));

}  // namespace
}  // namespace millrace::golden
