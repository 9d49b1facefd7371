// Arrivals and departures: aircraft that enter a circle of 30 km around an airport, or leave it;
// all of them on a map. usage: airport_fence POSITIONS.csv [flags], a file with the columns
// timestamp (ms), icao24, latitude, longitude
#include <cstdio>

#include "millrace/geo.hpp"
#include "millrace/millrace.hpp"

using namespace millrace;

struct Position {
  std::int64_t timestamp = 0;
  std::string_view icao24;
  std::optional<double> latitude;
  std::optional<double> longitude;

  Timestamp time() const { return {timestamp * 1000}; }
};

struct Movement {
  Timestamp time;
  std::string_view aircraft;
  bool arrives = false;
  double km = 0;       // from the airport
  double bearing = 0;  // as seen from there
};

constexpr GeoPoint kAirport{49.0097, 2.5479};  // Paris, Charles de Gaulle

Movement movement_of(const Crossing<std::string_view>& crossing) {
  return {crossing.time, crossing.key, crossing.entered, distance_m(kAirport, crossing.at) / 1000,
          bearing(kAirport, crossing.at)};
}

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: airport_fence POSITIONS.csv [flags]\n", stderr);
    return 64;
  }
  Topology airport("airport");
  const GeoArea fence = circle(kAirport, 30'000);
  const auto positions = airport.from(csv<Position>(argv[1])).event_time(&Position::time);
  positions.to(view("Aircraft", {.kind = ViewKind::map,
                                 .x = "longitude",
                                 .y = "latitude",
                                 .series = "icao24",
                                 .areas = {fence}}));
  crossings(positions.key_by(&Position::icao24), {fence}, &Position::latitude, &Position::longitude)
      .named("fence")
      .map(movement_of)
      .to(print());
  argv[1] = argv[0];
  return run(airport, argc - 1, argv + 1);
}
