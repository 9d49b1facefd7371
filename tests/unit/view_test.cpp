// Tests of View: windows replace each other, ranks sort, alerts keep the newest.
#include "connector/view.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace millrace::detail {
namespace {

const std::vector<ColumnReport> kRanked = {{"rank", "int"}, {"page", "string"}, {"count", "int"}};

Row ranked(std::int64_t rank, std::string page, std::int64_t count, Time start) {
  return {{Cell(rank), Cell(std::move(page)), Cell(count)}, start, start + 10};
}
Row plain(std::string text, std::optional<Time> start = std::nullopt) {
  return {{Cell(std::move(text))}, start, start ? std::optional(*start + 10) : std::nullopt};
}
std::vector<std::string> texts(const View& view, std::size_t column) {
  std::vector<std::string> all;
  for (const auto& cells : view.snapshot().rows)
    all.push_back(std::get<std::string>(cells[column]));
  return all;
}
using Texts = std::vector<std::string>;

TEST(View, ShowsTheLatestWindowSortedByRank) {
  View view({.name = "Trending", .kind = "top", .columns = kRanked});
  EXPECT_TRUE(view.snapshot().rows.empty());
  EXPECT_FALSE(view.snapshot().window_start.has_value());
  const std::vector<Row> first = {ranked(2, "b", 5, 0), ranked(1, "a", 9, 0),
                                  ranked(10, "j", 1, 0)};
  view.add(first);
  EXPECT_EQ(texts(view, 1), (Texts{"a", "b", "j"}));
  const std::vector<Row> mixed = {ranked(1, "old", 9, 0), ranked(1, "c", 7, 20),
                                  ranked(1, "older", 3, 10)};
  view.add(mixed);
  EXPECT_EQ(texts(view, 1), Texts{"c"});
  const ViewReport report = view.snapshot();
  EXPECT_EQ(report.name, "Trending");
  EXPECT_EQ(report.kind, "top");
  EXPECT_EQ(report.columns.size(), 3u);
  EXPECT_EQ(report.records, 6u);
  EXPECT_EQ(report.window_start, 20);
  EXPECT_EQ(report.window_end, 30);
}

TEST(View, AWindowThatFiresAgainReplacesItsRows) {
  View view({.name = "v", .kind = "top", .columns = kRanked});
  const std::vector<Row> first = {ranked(1, "a", 5, 0), ranked(2, "b", 4, 0)};
  const std::vector<Row> again = {ranked(1, "b", 6, 0), ranked(2, "a", 5, 0)};
  view.add(first);
  view.add(again);
  EXPECT_EQ(texts(view, 1), (Texts{"b", "a"}));

  View keyed({.name = "v", .kind = "table", .columns = kRanked, .key_columns = {"page"}});
  keyed.add(first);
  const std::vector<Row> late = {ranked(3, "a", 1, 0)};
  keyed.add(late);
  EXPECT_EQ(texts(keyed, 1), (Texts{"b", "a"}));
}

TEST(View, TablesKeepTheOrderOfArrivalAndTheirBound) {
  View view({.name = "v", .columns = {{"text", "string"}}, .rows_max = 3});
  const std::vector<Row> rows = {plain("c", 0), plain("a", 0), plain("b", 0), plain("d", 0)};
  view.add(rows);
  EXPECT_EQ(texts(view, 0), (Texts{"c", "a", "b"}));
  EXPECT_EQ(view.snapshot().records, 4u);
  View top({.name = "v", .kind = "top", .columns = kRanked, .rows_max = 2});
  const std::vector<Row> ranks = {ranked(3, "x", 1, 0), ranked(2, "y", 1, 0), ranked(1, "z", 1, 0),
                                  ranked(3, "w", 1, 0)};
  top.add(ranks);
  EXPECT_EQ(texts(top, 1), (Texts{"z", "y"}));
}

TEST(View, RowsWithoutWindowAreShownUntilAWindowComes) {
  View view({.name = "v", .columns = {{"text", "string"}}, .key_columns = {"text"}});
  const std::vector<Row> rows = {plain("a"), plain("b"), plain("a")};
  view.add(rows);
  EXPECT_EQ(texts(view, 0), (Texts{"a", "b"}));
  EXPECT_FALSE(view.snapshot().window_start.has_value());
  const std::vector<Row> windowed = {plain("w", -100), plain("x")};
  view.add(windowed);
  EXPECT_EQ(texts(view, 0), Texts{"w"});
}

TEST(View, AlertsKeepTheNewestFirst) {
  View view({.name = "Large removals", .kind = "alerts", .columns = {{"text", "string"}}});
  for (int i = 0; i < 250; ++i) {
    const std::vector<Row> rows = {plain(std::to_string(i))};
    view.add(rows);
  }
  const Texts shown = texts(view, 0);
  ASSERT_EQ(shown.size(), 200u);
  EXPECT_EQ(shown.front(), "249");
  EXPECT_EQ(shown.back(), "50");
  EXPECT_EQ(view.snapshot().records, 250u);
}

TEST(View, SnapshotsAreConsistentWhileRowsArrive) {
  View view({.name = "v", .kind = "top", .columns = kRanked});
  std::jthread writer([&] {
    for (Time window = 0; window < 2000; ++window) {
      std::vector<Row> rows;
      for (std::int64_t rank = 5; rank >= 1; --rank)
        rows.push_back(ranked(rank, "p", window, window));
      view.add(rows);
    }
  });
  for (std::uint64_t records = 0; records < 10'000;) {
    const ViewReport report = view.snapshot();
    records = report.records;
    EXPECT_EQ(report.records % 5, 0u);
    if (records == 0) continue;
    ASSERT_EQ(report.rows.size(), 5u);
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_EQ(std::get<std::int64_t>(report.rows[i][0]), static_cast<std::int64_t>(i + 1));
      EXPECT_EQ(std::get<std::int64_t>(report.rows[i][2]), *report.window_start);
    }
  }
}

ViewOptions chart(std::string kind) {
  ViewOptions options;
  options.name = "Load";
  options.kind = std::move(kind);
  options.columns = {{"time", "timestamp"}, {"core", "string"}, {"busy", "double"}};
  options.series = "core";
  return options;
}

Row load(Time second, const char* core, Cell busy) {
  return {{Timestamp{second * 1'000'000}, std::string(core), std::move(busy)}};
}

TEST(ChartView, ALineHasPointsBySeriesInOrderOfTime) {
  View view(chart("line"));
  const Row rows[] = {load(1, "0", 10.0), load(1, "1", 50.0), load(3, "0", 30.0),
                      load(2, "0", 20.0), load(4, "0", Cell())};
  view.add(rows);
  const ViewReport report = view.snapshot();
  EXPECT_EQ(report.x, "time");
  EXPECT_EQ(report.y, std::vector<std::string>{"busy"});
  EXPECT_EQ(report.series, "core");
  EXPECT_EQ(report.records, 5u);
  ASSERT_EQ(report.lines.size(), 2u);
  EXPECT_EQ(report.lines[0].name, "0");
  ASSERT_EQ(report.lines[0].points.size(), 3u) << "null is no point";
  EXPECT_EQ(report.lines[0].points[1].x, 2000) << "milliseconds";
  EXPECT_EQ(report.lines[0].points[1].y, 20);
  EXPECT_EQ(report.lines[0].points[2].y, 30);
  ASSERT_EQ(report.lines[1].points.size(), 1u);
  ASSERT_EQ(report.rows.size(), 2u) << "the newest row of each series";
  EXPECT_EQ(report.rows[0], load(4, "0", Cell()).cells);
}

TEST(ChartView, PointsAndLinesAreBounded) {
  ViewOptions options = chart("line");
  options.rows_max = 64;
  View view(options);
  for (Time second = 0; second < 1000; ++second) {
    const Row row = load(second, second % 2 ? "odd" : "even", static_cast<double>(second));
    view.add({&row, 1});
  }
  std::size_t points = 0;
  for (const LineReport& line : view.snapshot().lines) {
    points += line.points.size();
    EXPECT_GE(line.points.back().y, 998);
    EXPECT_GE(line.points.size(), 8u);
  }
  EXPECT_LE(points, 64u);
  for (int core = 0; core < 100; ++core) {
    const Row row = load(2000, std::to_string(core).c_str(), 1.0);
    view.add({&row, 1});
  }
  EXPECT_EQ(view.snapshot().lines.size(), LinePoints::kLinesMax);
}

TEST(ChartView, ANumberShowsItsNewestRow) {
  ViewOptions options = chart("number");
  options.series = "";
  options.unit = "%";
  View view(options);
  const Row rows[] = {load(1, "0", 10.0), load(2, "0", 20.0)};
  view.add(rows);
  const ViewReport report = view.snapshot();
  EXPECT_EQ(report.unit, "%");
  ASSERT_EQ(report.rows.size(), 1u);
  EXPECT_EQ(report.rows[0], rows[1].cells);
  ASSERT_EQ(report.lines.size(), 1u);
  EXPECT_EQ(report.lines[0].name, "busy");
}

ViewOptions places(std::size_t rows_max = 0) {
  ViewOptions options;
  options.name = "Aircraft";
  options.kind = "map";
  options.columns = {{"flight", "string"}, {"latitude", "double"}, {"longitude", "double"}};
  options.rows_max = rows_max;
  options.x = "longitude";
  options.y = {"latitude"};
  options.series = "flight";
  return options;
}
Row at(const char* flight, double latitude, double longitude) {
  return {{std::string(flight), latitude, longitude}};
}

TEST(MapView, HasTheNewestPlaceOfEachThing) {
  ViewOptions options = places();
  options.areas = {circle({49, 2.5}, 30'000), polygon({{1, 179}, {1, -179}, {2, -179}})};
  View view(options);
  ASSERT_TRUE(view.problem().ok()) << view.problem().to_string();
  const Row rows[] = {at("a", 49, 2), at("b", 50, 3), at("a", 49.1, 2.1)};
  view.add(rows);
  const ViewReport report = view.snapshot();
  EXPECT_EQ(report.kind, "map");
  ASSERT_EQ(report.rows.size(), 2u);
  EXPECT_EQ(report.rows[1], rows[2].cells) << "what came last stands last";
  ASSERT_EQ(report.areas.size(), 2u);
  for (const GeoPoint& corner : report.areas[0])
    EXPECT_NEAR(distance_m({49, 2.5}, corner), 30'000, 0.01);
  ASSERT_EQ(report.areas[1].size(), 3u);
  EXPECT_EQ(report.areas[1][1].longitude, 181) << "it goes on beyond 180 degrees";
}

TEST(MapView, WhatWasNotHeardOfForLongestMakesRoom) {
  View view(places(2));
  const Row rows[] = {at("a", 1, 1), at("b", 2, 2), at("a", 3, 3), at("c", 4, 4)};
  view.add(rows);
  EXPECT_EQ(texts(view, 0), (Texts{"a", "c"}));
  View again(places(2));
  ASSERT_TRUE(again.restore(view.image()));
  again.add({&rows[1], 1});
  EXPECT_EQ(texts(again, 0), (Texts{"c", "b"})) << "also behind a restart";
}

TEST(MapView, WhatIsNoMapIsRefused) {
  ViewOptions options = places();
  options.series = "";
  EXPECT_NE(View(options).problem().message().find("ViewKind::map"), std::string::npos);
  options = places();
  options.areas = {circle({49, 2.5}, 0)};
  EXPECT_NE(View(options).problem().message().find("a radius of 0"), std::string::npos);
  options = chart("line");
  options.areas = {circle({49, 2.5}, 1)};
  EXPECT_NE(View(options).problem().message().find("areas are of a map"), std::string::npos);
}

TEST(ChartView, AColumnThatIsNotThereIsNamed) {
  ViewOptions options = chart("line");
  options.y = {"bussy"};
  const View view(options);
  EXPECT_EQ(view.problem().code(), Code::parameter_invalid);
  EXPECT_NE(view.problem().message().find("\"bussy\""), std::string::npos);
  EXPECT_NE(view.problem().message().find("there are: busy"), std::string::npos);
  EXPECT_TRUE(View(chart("line")).problem().ok());
}

}  // namespace
}  // namespace millrace::detail
