// The busiest routes of half an hour whenever they change, and how far visits of a shop come,
// against rows that a plain script computed.
#include "line_fields.hpp"
#include "millrace/millrace.hpp"

namespace millrace::golden {
namespace {

using namespace std::chrono_literals;

constexpr const char* kNoData = "there is no folder shared/ beside the clone";

struct Trip {
  Timestamp dropoff;
  std::int64_t line = 0;
  std::string route;  ///< from, a zero byte, to: compared as the pair of names is
};

/// As they arrived: by the time at which they ended.
std::vector<Trip> ended_trips(const std::string& file) {
  std::vector<Trip> trips;
  std::int64_t line = 0;
  for (const std::string& row : read_rows(file)) {
    const auto fields = split_line(row);
    std::string route = fmt::format("{}{}{}", fields[10], '\0', fields[11]);
    if (!fields[10].empty() && !fields[11].empty())
      trips.push_back({time_of(fields[1]), line, std::move(route)});
    ++line;
  }
  std::ranges::stable_sort(trips, {}, &Trip::dropoff);
  return trips;
}

struct Route {
  std::string route;
  std::int64_t trips = 0;
  Timestamp latest;
};

/// The routes of some trips that follow each other, and the last one of these.
struct Routes {
  Timestamp at;
  std::int64_t line = 0;
  std::vector<Route> all;

  void add(const Route& of) {
    const auto its = std::ranges::find(all, of.route, &Route::route);
    if (its == all.end()) {
      all.push_back(of);
    } else {
      its->trips += of.trips;
      its->latest = std::max(its->latest, of.latest);
    }
  }
  std::string best() const {
    std::vector<Route> ranked = all;
    std::ranges::sort(ranked, [](const Route& a, const Route& b) {
      return std::tuple(-a.trips, -a.latest.micros, std::string_view(a.route)) <
             std::tuple(-b.trips, -b.latest.micros, std::string_view(b.route));
    });
    ranked.resize(std::min<std::size_t>(ranked.size(), 10));
    std::string text;
    for (Route& of : ranked) {
      std::ranges::replace(of.route, '\0', '>');
      text += (text.empty() ? "" : "|") + of.route;
    }
    return text;
  }
};

class RankingsOverData : public testing::TestWithParam<std::uint32_t> {};

TEST_P(RankingsOverData, TopRoutesThatChange) {
  const std::string folder = shared_folder("taxi-trips");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << kNoData;
  Lines found;
  Topology topology("taxis");
  topology.from(records<Trip>({ended_trips(folder + "taxis.csv.gz")}))
      .event_time(&Trip::dropoff)
      .key_by([](const Trip&) { return 0; })
      .over(last(30min))
      .fold(
          Routes{},
          [](Routes& routes, const Trip& trip) {
            routes.at = trip.dropoff;
            routes.line = trip.line;
            routes.add({trip.route, 1, trip.dropoff});
          },
          [](Routes& routes, const Routes& later) {
            for (const Route& of : later.all) routes.add(of);
            if (later.all.empty()) return;
            routes.at = later.at;
            routes.line = later.line;
          })
      .to(each([&found, before = std::string()](const auto& row) mutable {
        const std::string best = row.value.best();
        if (best != before) {
          found.push_back(
              fmt::format("{},{},{}", row.value.at.micros / 1000, row.value.line, best));
        }
        before = best;
      }));
  run(topology, GetParam(), 1 + GetParam() % 2);
  expect_rows("top10_routes_30m.csv", read_rows(folder + "expected/top10_routes_30m.csv.gz"),
              found);
}

struct Click {
  std::int64_t ts_ms = 0;
  std::string_view user_id;
  std::string_view event;
  Timestamp time() const { return {ts_ms * 1000}; }
};

struct Visit {
  std::int64_t day_ms = 0;
  std::int64_t viewed = 0, added = 0, bought = 0;  ///< 1 or 0
};

struct Funnel {
  std::int64_t visits = 0, viewed = 0, added = 0, bought = 0;
};

/// How far a visit came: each step behind the one before it.
Visit visit_of(Time start, const std::vector<std::string>& events) {
  constexpr std::array<std::string_view, 3> kSteps{"product_view", "add_to_cart", "purchase"};
  std::size_t reached = 0;
  for (const std::string& event : events) {
    if (reached < kSteps.size() && event == kSteps[reached]) ++reached;
  }
  constexpr Time kDay = 86'400'000'000;
  return {start / kDay * kDay / 1000, reached > 0, reached > 1, reached > 2};
}

TEST_P(RankingsOverData, FunnelOfEachDay) {
  const std::string folder = shared_folder("shop-clickstream") + "expected/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << kNoData;
  Lines found;
  Topology topology("funnel");
  topology.from(millrace::csv<Click>(folder + "by_time.csv.gz"))
      .event_time(&Click::time)
      .key_by(&Click::user_id)
      .window(session(30min))
      .list(&Click::event, 1000)
      .map([](const auto& row) { return visit_of(row.window_start, row.value); })
      .key_by(&Visit::day_ms)
      .window(global())
      .aggregate(count().as(&Funnel::visits), sum(&Visit::viewed).as(&Funnel::viewed),
                 sum(&Visit::added).as(&Funnel::added), sum(&Visit::bought).as(&Funnel::bought))
      .to(each([&found](const auto& row) {
        const Funnel& of = row.value;
        found.push_back(
            fmt::format("{},{},{},{},{}", row.key, of.visits, of.viewed, of.added, of.bought));
      }));
  run(topology, GetParam(), 1 + GetParam() % 2);
  expect_rows("funnel_1d.csv", sorted(read_rows(folder + "funnel_1d.csv")), sorted(found));
}

INSTANTIATE_TEST_SUITE_P(Parallelism, RankingsOverData, testing::Range(1u, 9u));

}  // namespace
}  // namespace millrace::golden
