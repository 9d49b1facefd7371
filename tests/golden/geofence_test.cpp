// Aircraft that enter and leave a circle of 30 km, against rows that a plain script computed.
#include "golden_run.hpp"
#include "millrace/geo.hpp"
#include "millrace/millrace.hpp"

namespace millrace::golden {
namespace {

struct Report {
  std::int64_t timestamp = 0;
  std::string_view icao24;
  std::optional<double> latitude;
  std::optional<double> longitude;
  Timestamp time() const { return {timestamp * 1000}; }
};

constexpr GeoPoint kAirport{49.0097, 2.5479};

class GeofenceOverData : public testing::TestWithParam<std::uint32_t> {};

TEST_P(GeofenceOverData, Aircraft) {
  const std::string folder = shared_folder("adsb-paris");
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << "there is no folder shared/ beside the clone";
  Lines found;
  Topology topology("aircraft");
  const auto reports = topology.from(millrace::csv<Report>(folder + "positions.csv.gz"))
                           .event_time(&Report::time)
                           .key_by(&Report::icao24);
  crossings(reports, {circle(kAirport, 30'000)}, &Report::latitude, &Report::longitude)
      .to(each([&found](const Crossing<std::string_view>& row) {
        found.push_back(fmt::format("{},{},{},{:.6f}", row.time.micros / 1000, row.key,
                                    row.entered ? "ENTER" : "EXIT",
                                    distance_m(row.at, kAirport) / 1000));
      }));
  run(topology, GetParam(), 1 + GetParam() % 2);
  const Lines expected = read_rows(folder + "expected/geofence_30km.csv");
  if (GetParam() == 1) {
    expect_rows("geofence_30km.csv", expected, found);
  } else {
    expect_rows("geofence_30km.csv", sorted(expected), sorted(found));
  }
}

INSTANTIATE_TEST_SUITE_P(Parallelism, GeofenceOverData, testing::Range(1u, 9u));

}  // namespace
}  // namespace millrace::golden
