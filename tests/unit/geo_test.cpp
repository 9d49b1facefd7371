// Tests of places: distances, bearings, cells, areas, and who crosses a fence.
#include "millrace/geo.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "millrace/millrace.hpp"
#include "simulated_run.hpp"

namespace millrace {
namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();
constexpr GeoPoint kParis{48.8566, 2.3522};
constexpr GeoPoint kLondon{51.5074, -0.1278};

TEST(GeoDistance, OfKnownPlaces) {
  constexpr double kHalfWay = 3.14159265358979323846 * kEarthRadiusM;
  EXPECT_NEAR(distance_m(kParis, kLondon), 343'556, 50);
  EXPECT_DOUBLE_EQ(distance_m(kParis, kLondon), distance_m(kLondon, kParis));
  EXPECT_EQ(distance_m(kParis, kParis), 0);
  EXPECT_NEAR(distance_m({90, 0}, {-90, 77}), kHalfWay, 1e-3);
  EXPECT_NEAR(distance_m({0, 0}, {0, 180}), kHalfWay, 1e-3) << "places on opposite sides";
  EXPECT_NEAR(distance_m({0, 0}, {0, 1}), kHalfWay / 180, 1e-6) << "a degree of the equator";
  EXPECT_NEAR(distance_m({10, 179.5}, {10, -179.5}), distance_m({10, 0}, {10, 1}), 1e-6)
      << "over the 180th meridian";
  EXPECT_NEAR(distance_m({0, 0}, {1e-7, 0}), 0.01112, 1e-5) << "a centimetre";
  EXPECT_TRUE(std::isnan(distance_m({kNoNumber, 0}, kParis)));
}

TEST(GeoBearing, OfTheFourWinds) {
  EXPECT_NEAR(bearing({0, 0}, {1, 0}), 0, 1e-9);
  EXPECT_NEAR(bearing({0, 0}, {0, 1}), 90, 1e-9);
  EXPECT_NEAR(bearing({0, 0}, {-1, 0}), 180, 1e-9);
  EXPECT_NEAR(bearing({0, 0}, {0, -1}), 270, 1e-9);
  EXPECT_NEAR(bearing({10, 179.5}, {10, -179.5}), 89.9, 0.1) << "over the 180th meridian";
  EXPECT_NEAR(bearing(kParis, kLondon), 330.0, 0.1);
  EXPECT_EQ(bearing(kParis, kParis), 0);
  EXPECT_LT(bearing({0, 0}, {1, -1e-300}), 360) << "a hair west of north";
}

TEST(GeoCell, IsRoundedDown) {
  const auto cell = [](double latitude, double longitude, double per_degree = 100) {
    return grid_cell({latitude, longitude}, per_degree);
  };
  using Cell = std::tuple<std::int64_t, std::int64_t>;
  EXPECT_EQ(cell(39.29, 116.37), Cell(3929, 11637)) << "39.29 * 100 is a little less in doubles";
  EXPECT_EQ(cell(39.2899, 116.3799), Cell(3928, 11637));
  EXPECT_EQ(cell(-0.001, -1), Cell(-1, -100));
  EXPECT_EQ(cell(1.5, 2.5, 1), Cell(1, 2));
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(cell(kNoNumber, 1e300), Cell(kLeast, kLeast));
}

TEST(GeoArea, CircleHoldsItsBorder) {
  const double radius = distance_m(kParis, kLondon);
  const GeoArea area = circle(kParis, radius);
  EXPECT_TRUE(area.contains(kLondon));
  EXPECT_EQ(area.from_border_m(kLondon), 0);
  EXPECT_FALSE(circle(kParis, std::nextafter(radius, 0)).contains(kLondon));
  EXPECT_DOUBLE_EQ(area.from_border_m(kParis), -radius);
  EXPECT_FALSE(area.contains({kNoNumber, 0}));
  EXPECT_TRUE(std::isnan(area.from_border_m({0, kNoNumber})));
}

TEST(GeoArea, PolygonWithANotch) {
  // A square with a wedge cut in from the east, whose tip is at 5, 5.
  const GeoArea area = polygon({{0, 0}, {0, 10}, {5, 5}, {10, 10}, {10, 0}});
  EXPECT_TRUE(area.contains({5, 4}));
  EXPECT_FALSE(area.contains({5, 6})) << "in the notch";
  EXPECT_TRUE(area.contains({1, 8}));
  EXPECT_TRUE(area.contains({9, 8}));
  EXPECT_FALSE(area.contains({5, -1}));
  EXPECT_FALSE(area.contains({11, 5}));
  EXPECT_FALSE(area.contains({kNoNumber, 5}));
  EXPECT_NEAR(area.from_border_m({5, -1}), distance_m({5, -1}, {5, 0}), 200) << "from its side";
  EXPECT_NEAR(area.from_border_m({-1, -1}), distance_m({-1, -1}, {0, 0}), 1) << "from a corner";
  EXPECT_NEAR(area.from_border_m({2, 1}), -distance_m({2, 1}, {2, 0}), 1) << "inside";
  EXPECT_TRUE(std::isnan(area.from_border_m({kNoNumber, 5})));
}

TEST(GeoArea, PolygonOverThe180thMeridian) {
  for (const double first : {179.0, -181.0}) {
    const GeoArea area = polygon({{0, first}, {0, -179}, {2, -179}, {2, first}});
    EXPECT_TRUE(area.validate().ok());
    for (const double inside : {179.5, 180.0, -180.0, -179.5, 180.5}) {
      EXPECT_TRUE(area.contains({1, inside})) << inside;
      EXPECT_LT(area.from_border_m({1, inside}), -50'000) << inside;
    }
    for (const double outside : {178.5, -178.5, 0.0, 90.0}) {
      EXPECT_FALSE(area.contains({1, outside})) << outside;
    }
    EXPECT_NEAR(area.from_border_m({1, 178.5}), distance_m({1, 178.5}, {1, 179}), 5);
  }
}

TEST(GeoArea, WhatIsNoneIsRefused) {
  EXPECT_TRUE(circle(kParis, 1).validate().ok());
  EXPECT_TRUE(polygon({{0, 0}, {0, 1}, {1, 0}}).validate().ok());
  const double infinity = std::numeric_limits<double>::infinity();
  for (const GeoArea& area :
       {circle(kParis, 0), circle(kParis, -1), circle(kParis, kNoNumber), circle(kParis, infinity),
        circle({91, 0}, 1), circle({0, kNoNumber}, 1), polygon({}), polygon({{0, 0}, {1, 1}}),
        polygon({{0, 0}, {0, 1}, {-90.1, 0}}), polygon({{0, -90}, {0, 0}, {0, 90}, {1, 0}})}) {
    EXPECT_EQ(area.validate().code(), Code::parameter_invalid);
  }
}

struct Ping {
  Timestamp time;
  std::string_view car;
  std::optional<double> latitude;
  double longitude = 0;
};

/// Degrees of latitude north of the centre as metres, about.
constexpr double kMetre = 1 / 111'195.08;

std::vector<Ping> pings() {
  return {{Timestamp{1}, "a", 2000 * kMetre, 0}, {Timestamp{2}, "b", 500 * kMetre, 0},
          {Timestamp{3}, "a", 900 * kMetre, 0},  {Timestamp{4}, "a", 1050 * kMetre, 0},
          {Timestamp{5}, "a", 950 * kMetre, 0},  {Timestamp{6}, "a", std::nullopt, 0},
          {Timestamp{7}, "a", kNoNumber, 0},     {Timestamp{8}, "a", 1099 * kMetre, 0},
          {Timestamp{9}, "a", 1101 * kMetre, 0}, {Timestamp{10}, "a", 1050 * kMetre, 0}};
}

std::vector<std::string> crossed(Geofence fence, std::uint32_t parallelism) {
  std::vector<std::string> seen;
  Topology topology("cars");
  crossings(topology.from(records<Ping>({pings()})).event_time(&Ping::time).key_by(&Ping::car),
            fence, &Ping::latitude, &Ping::longitude)
      .to(each([&seen](const Crossing<std::string_view>& crossing) {
        EXPECT_EQ(crossing.entered, crossing.from_border_m <= 0);
        EXPECT_NEAR(crossing.from_border_m, crossing.at.latitude / kMetre - 1000, 0.1);
        seen.push_back(std::string(crossing.key) + (crossing.entered ? " in " : " out ") +
                       std::to_string(crossing.time.micros));
      }));
  EXPECT_EQ(run_simulated(topology, parallelism).to_string(), "ok");
  std::ranges::sort(seen);
  return seen;
}

TEST(GeofenceVerb, EntersAndLeavesForEachKey) {
  for (const std::uint32_t parallelism : {1, 3}) {
    EXPECT_EQ(crossed({circle({0, 0}, 1000)}, parallelism),
              (std::vector<std::string>{"a in 3", "a in 5", "a out 4", "a out 8", "b in 2"}));
  }
}

TEST(GeofenceVerb, WithAMarginLeavesFartherAway) {
  EXPECT_EQ(crossed({circle({0, 0}, 1000), 100}, 1),
            (std::vector<std::string>{"a in 3", "a out 9", "b in 2"}));
}

/// What a car says whose positions come out of order; late ones behind it.
std::vector<std::string> crossed_out_of_order(Duration bound) {
  std::vector<std::string> seen;
  std::vector<std::string> late;
  Topology topology("cars");
  const std::vector<Ping> arrived = {{Timestamp{10}, "a", 2000 * kMetre, 0},
                                     {Timestamp{30}, "a", 500 * kMetre, 0},
                                     {Timestamp{20}, "a", 800 * kMetre, 0},
                                     {Timestamp{40}, "a", 3000 * kMetre, 0},
                                     {Timestamp{40}, "a", 100 * kMetre, 0}};
  const auto all = crossings(topology.from(records<Ping>({arrived}))
                                 .event_time(&Ping::time, {.out_of_order = bound})
                                 .key_by(&Ping::car),
                             {circle({0, 0}, 1000)}, &Ping::latitude, &Ping::longitude)
                       .named("fence");
  all.to(each([&seen](const Crossing<std::string_view>& crossing) {
    seen.push_back((crossing.entered ? "in " : "out ") + std::to_string(crossing.time.micros));
  }));
  all.late().to(each(
      [&late](const Ping& ping) { late.push_back("late " + std::to_string(ping.time.micros)); }));
  EXPECT_EQ(run_simulated(topology, 2).to_string(), "ok");
  seen.insert(seen.end(), late.begin(), late.end());
  return seen;
}

TEST(GeofenceVerb, TakesPositionsInTheOrderOfTime) {
  EXPECT_EQ(crossed_out_of_order(Duration(10)),
            (std::vector<std::string>{"in 20", "out 40", "in 40"}));
}

TEST(GeofenceVerb, PositionsBehindTheWatermarkAreLate) {
  EXPECT_EQ(crossed_out_of_order(Duration(9)),
            (std::vector<std::string>{"in 30", "out 40", "in 40", "late 20"}));
}

TEST(GeofenceVerb, NeedsEventTime) {
  Topology topology("cars");
  crossings(topology.from(records<Ping>({pings()})).key_by(&Ping::car), {circle({0, 0}, 1)},
            &Ping::latitude, &Ping::longitude)
      .named("fence")
      .to(each([](const auto&) {}));
  const auto problems = topology.declaration().graph.validate();
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems.front().code(), Code::event_time_missing);
  EXPECT_NE(problems.front().message().find("\"fence order\""), std::string::npos)
      << problems.front().to_string();
}

TEST(GeofenceVerb, FencesThatCannotBeAreRefused) {
  for (const Geofence& fence : {Geofence{circle({0, 0}, 0)}, Geofence{circle({0, 0}, 1), -1},
                                Geofence{circle({0, 0}, 1), kNoNumber}}) {
    Topology topology("cars");
    crossings(topology.from(records<Ping>({pings()})).event_time(&Ping::time).key_by(&Ping::car),
              fence, &Ping::latitude, &Ping::longitude)
        .to(each([](const auto&) {}));
    const auto problems = topology.declaration().graph.validate();
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_EQ(problems.front().code(), Code::parameter_invalid);
  }
}

}  // namespace
}  // namespace millrace
