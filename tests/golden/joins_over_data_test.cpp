// Joins over real data, against rows that a plain script computed: aircraft that come close to each
// other, and what is known of a terminal when labels come seven days late.
#include "line_fields.hpp"
#include "millrace/geo.hpp"
#include "millrace/millrace.hpp"

namespace millrace::golden {
namespace {

using namespace std::chrono_literals;

constexpr const char* kNoData = "there is no folder shared/ beside the clone";

struct Report {
  std::int64_t timestamp = 0;
  std::string_view icao24;
  std::optional<double> latitude;
  std::optional<double> longitude;
  std::optional<std::int64_t> altitude;
  Timestamp time() const { return {timestamp * 1000}; }
};

struct Last {
  std::optional<double> latitude;
  std::optional<double> longitude;
  std::optional<std::int64_t> altitude;
};

/// The last report of an aircraft in ten seconds.
struct Plane {
  std::int64_t window_ms = 0;
  std::string icao24;
  GeoPoint at;
  std::int64_t altitude = 0;
  std::int64_t band = 0;  ///< of a tenth of a degree of latitude
};

struct Pair {
  std::int64_t window_ms = 0;
  std::string one, other;
  double distance_km = 0;
  std::int64_t altitude_difference = 0;
};

Pair pair_of(const Plane& one, const Plane& other) {
  return {one.window_ms, one.icao24, other.icao24, distance_m(one.at, other.at) / 1000,
          std::abs(one.altitude - other.altitude)};
}

class JoinsOverData : public testing::TestWithParam<std::uint32_t> {};

/// A stream that is joined with itself: each aircraft with those of its band and the two beside it.
TEST_P(JoinsOverData, ClosePairs) {
  const std::string folder = shared_folder("adsb-paris");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << kNoData;
  Lines found;
  Topology topology("aircraft");
  const auto planes =
      topology.from(millrace::csv<Report>(folder + "positions.csv.gz"))
          .event_time(&Report::time)
          .filter([](const Report& it) { return it.latitude && it.longitude && it.altitude; })
          .key_by(&Report::icao24)
          .window(tumbling(10s))
          .aggregate(last(&Report::latitude).as(&Last::latitude),
                     last(&Report::longitude).as(&Last::longitude),
                     last(&Report::altitude).as(&Last::altitude))
          .filter([](const auto& row) { return *row.value.altitude > 5000; })
          .map([](const auto& row) {
            const Last& its = row.value;
            return Plane{row.window_start / 1000,
                         std::string(row.key),
                         {*its.latitude, *its.longitude},
                         *its.altitude,
                         static_cast<std::int64_t>(std::floor(*its.latitude * 10))};
          });
  const auto near = planes.flat_map([](Plane plane, Output<Plane>& out) {
    for (const std::int64_t band : {plane.band - 1, plane.band, plane.band + 1}) {
      plane.band = band;
      out.emit(plane);
    }
  });
  planes.key_by(&Plane::band)
      .join(near.key_by(&Plane::band))
      .window(tumbling(10s))
      .inner(pair_of)
      .filter([](const Pair& pair) {
        return pair.one < pair.other && pair.distance_km < 9.26 && pair.altitude_difference < 1000;
      })
      .to(each([&found](const Pair& pair) {
        found.push_back(fmt::format("{},{},{},{:.6f},{}", pair.window_ms, pair.one, pair.other,
                                    pair.distance_km, pair.altitude_difference));
      }));
  run(topology, GetParam(), 1 + GetParam() % 2);
  expect_rows("close_pairs_10s.csv", sorted(read_rows(folder + "expected/close_pairs_10s.csv")),
              sorted(found));
}

struct Payment {
  Timestamp time;
  std::int64_t id = 0;
  std::int64_t terminal = 0;
};

/// Whether a payment was a fraud, which is known seven days later.
struct Label {
  Timestamp known;
  std::int64_t terminal = 0;
  std::int64_t fraud = 0;
};

struct Known {
  std::int64_t id = 0;
  std::int64_t fraud = 0;
};

struct Risk {
  std::int64_t payments = 0;
  std::int64_t frauds = 0;
};

void parse_payment(std::string_view line, Output<Payment>& out) {
  if (line.starts_with("tx_id,")) return;
  const auto fields = split_line(line);
  out.emit({time_of(fields[1]), static_cast<std::int64_t>(number_of(fields[0])),
            static_cast<std::int64_t>(number_of(fields[3]))});
}

void parse_label(std::string_view line, Output<Label>& out) {
  if (line.starts_with("tx_id,")) return;
  const auto fields = split_line(line);
  out.emit({time_of(fields[1]) + 24h * 7, static_cast<std::int64_t>(number_of(fields[3])),
            static_cast<std::int64_t>(number_of(fields[5]))});
}

class LateLabels : public testing::TestWithParam<std::uint32_t> {};

/// A month: 288,062 payments.
TEST_P(LateLabels, OfTerminalsSevenDaysLate) {
  const std::string folder = shared_folder("card-fraud");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << kNoData;
  std::map<std::int64_t, std::string> rows;  // by payment, as the file is
  Topology topology("terminals");
  const std::string files = folder + "tx-2018-04.csv.gz";
  const auto labels = topology.from(lines(files)).flat_map(parse_label).event_time(&Label::known);
  topology.from(lines(files))
      .flat_map(parse_payment)
      .event_time(&Payment::time)
      .key_by(&Payment::terminal)
      .join(labels.key_by(&Label::terminal))
      .within(24h * 7, 0s)
      .exclusive_lower()
      .inner(
          [](const Payment& payment, const Label& label) { return Known{payment.id, label.fraud}; })
      .key_by(&Known::id)
      .window(tumbling(1s))  // a pair has the time of its payment
      .aggregate(count().as(&Risk::payments), sum(&Known::fraud).as(&Risk::frauds))
      .to(each([&rows](const auto& row) {
        rows[row.key] = fmt::format("{},{},{}", row.key, row.value.payments, row.value.frauds);
      }));
  run(topology, GetParam(), 1 + GetParam() % 2);
  Lines found;
  for (auto& [id, row] : rows) found.push_back(std::move(row));
  Lines expected = read_rows(folder + "expected/terminal_risk_7d_delay.csv.gz");
  constexpr double kFirstOfMay = 288'062;
  std::erase_if(expected, [](const std::string& row) {
    return number_of(split_line(row).front()) >= kFirstOfMay;
  });
  expect_rows("terminal_risk_7d_delay.csv", expected, found);
}

INSTANTIATE_TEST_SUITE_P(Parallelism, JoinsOverData, testing::Range(1u, 9u));
INSTANTIATE_TEST_SUITE_P(Parallelism, LateLabels, testing::Values(1u, 4u));

}  // namespace
}  // namespace millrace::golden
