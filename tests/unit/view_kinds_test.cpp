// The kinds of views from declaration to report: what is guessed, what is refused, what is shown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "running_topology.hpp"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Trade {
  Timestamp time;
  std::string symbol;
  double price = 0;
  std::int64_t amount = 0;
};

Trade trade_at(std::uint64_t at) {
  return {Timestamp{static_cast<std::int64_t>(at) * 1'000'000}, at % 2 ? "BTC" : "ETH",
          static_cast<double>(at), static_cast<std::int64_t>(at * 10)};
}

auto trades(Topology& topology, std::uint64_t count) {
  return topology.from(generate(count, trade_at));
}

ViewReport shown(Topology& topology) {
  RunningTopology running(topology);
  EXPECT_EQ(running.started().to_string(), "ok");
  running.wait();
  return running.report().views.front();
}

std::string problem(const ViewSettings& settings) {
  Topology topology("t");
  trades(topology, 1).to(view("Prices", settings));
  const auto problems = topology.declaration().graph.validate();
  return problems.empty() ? "" : problems.front().to_string();
}

TEST(ViewKinds, TheKindIsGuessedFromTheRows) {
  const auto kind_of = [](auto declare) {
    Topology topology("t");
    declare(trades(topology, 100).event_time(&Trade::time).key_by(&Trade::symbol));
    return shown(topology).kind;
  };
  EXPECT_EQ(kind_of([](auto keyed) { keyed.window(tumbling(10s)).count().top(3).to(view("v")); }),
            "top");
  EXPECT_EQ(kind_of([](auto keyed) { keyed.window(tumbling(10s)).count().to(view("v")); }),
            "table");
  EXPECT_EQ(kind_of([](auto keyed) { keyed.count().to(view("v")); }), "table");
  Topology plain("t");
  trades(plain, 10).to(view("v"));
  EXPECT_EQ(shown(plain).kind, "alerts");
}

TEST(ViewKinds, ARunningAggregateKeepsARowForEachKey) {
  Topology topology("t");
  trades(topology, 100).key_by(&Trade::symbol).count().to(view("Counts"));
  const ViewReport report = shown(topology);
  EXPECT_EQ(report.records, 100u);
  ASSERT_EQ(report.rows.size(), 2u);
  EXPECT_THAT(report.rows[0], ElementsAre(Cell("ETH"), Cell(std::int64_t{50})));
  EXPECT_THAT(report.rows[1], ElementsAre(Cell("BTC"), Cell(std::int64_t{50})));
}

TEST(ViewKinds, ALineOverATimeWithASeries) {
  Topology topology("t");
  trades(topology, 100)
      .to(view("Prices", {.kind = ViewKind::line,
                          .x = "time",
                          .y = {"price", "amount"},
                          .series = "symbol",
                          .unit = "USD"}));
  const ViewReport report = shown(topology);
  EXPECT_EQ(report.kind, "line");
  EXPECT_EQ(report.unit, "USD");
  EXPECT_TRUE(report.x_is_time);
  ASSERT_EQ(report.lines.size(), 4u);
  EXPECT_EQ(report.lines[0].name, "BTC · amount");
  EXPECT_EQ(report.lines[1].name, "BTC · price");
  ASSERT_EQ(report.lines[1].points.size(), 50u);
  EXPECT_EQ(report.lines[1].points[0].x, 1000) << "milliseconds";
  EXPECT_EQ(report.lines[1].points[0].y, 1);
  ASSERT_EQ(report.rows.size(), 2u) << "the newest of each series";
  EXPECT_EQ(report.rows[0][2], Cell(99.0));
}

TEST(ViewKinds, ALineOfWindowsNeedsNothingSaid) {
  Topology topology("t");
  trades(topology, 100)
      .event_time(&Trade::time)
      .key_by(&Trade::symbol)
      .window(tumbling(10s))
      .count()
      .to(view("Trades", {.kind = ViewKind::line}));
  const ViewReport report = shown(topology);
  EXPECT_EQ(report.series, "symbol");
  EXPECT_THAT(report.y, ElementsAre("count"));
  EXPECT_TRUE(report.x_is_time);
  ASSERT_EQ(report.lines.size(), 2u);
  EXPECT_EQ(report.lines[1].name, "ETH");
  ASSERT_EQ(report.lines[1].points.size(), 10u);
  EXPECT_EQ(report.lines[1].points[0].x, 10'000) << "the window's end";
  EXPECT_EQ(report.lines[1].points[0].y, 5);
}

TEST(ViewKinds, ANumberIsTheNewestRowWithItsCourse) {
  Topology topology("t");
  trades(topology, 5000).to(view("Price", {.kind = ViewKind::number, .y = "price"}));
  const ViewReport report = shown(topology);
  ASSERT_EQ(report.rows.size(), 1u);
  EXPECT_EQ(report.rows[0][2], Cell(4999.0));
  ASSERT_EQ(report.lines.size(), 1u);
  EXPECT_LE(report.lines[0].points.size(), 2000u);
  EXPECT_EQ(report.x, "time") << "the first timestamp";
}

struct Cellular {
  std::int64_t east = 0;
  std::int64_t north = 0;
  double heat = 0;
};

TEST(ViewKinds, AGridKeepsARowForEachCell) {
  Topology topology("t");
  topology
      .from(generate(1000,
                     [](std::uint64_t at) {
                       return Cellular{static_cast<std::int64_t>(at % 10),
                                       static_cast<std::int64_t>(at / 10 % 10),
                                       static_cast<double>(at)};
                     }))
      .to(view("Heat", {.kind = ViewKind::grid, .x = "east", .y = "north", .measure = "heat"}));
  const ViewReport report = shown(topology);
  EXPECT_EQ(report.kind, "grid");
  EXPECT_EQ(report.measure, "heat");
  ASSERT_EQ(report.rows.size(), 100u);
  EXPECT_THAT(report.rows[11],
              ElementsAre(Cell(std::int64_t{1}), Cell(std::int64_t{1}), Cell(911.0)));
}

TEST(ViewKinds, WhatCannotBeShownIsRefusedWithWhatThereIs) {
  EXPECT_EQ(problem({}), "");
  EXPECT_THAT(problem({.kind = ViewKind::line, .y = "prise"}),
              HasSubstr("2010 view \"Prices\": there is no column \"prise\" for y; there are: "
                        "price, amount"));
  EXPECT_THAT(problem({.kind = ViewKind::line, .y = "symbol"}),
              HasSubstr("y must be a number, but \"symbol\" is of type string"));
  EXPECT_THAT(problem({.kind = ViewKind::line, .x = "symbol"}),
              HasSubstr("x must be a number or a time"));
  EXPECT_THAT(problem({.kind = ViewKind::line, .series = "none"}), HasSubstr("for series"));
  EXPECT_THAT(problem({.kind = ViewKind::grid}), HasSubstr("a grid needs the columns"));
  EXPECT_THAT(problem({.kind = ViewKind::map, .x = "price", .y = "amount"}),
              HasSubstr("a map needs the columns"));
  EXPECT_THAT(problem({.kind = ViewKind::map, .x = "symbol"}), HasSubstr("x must be a number"));
  EXPECT_THAT(problem({.kind = ViewKind::grid, .x = "amount", .y = "price", .measure = "time"}),
              HasSubstr("measure must be a number"));
  EXPECT_THAT(problem({.rows_max = 10'001}), HasSubstr("give 1 to 10000"));
}

TEST(ViewKinds, ALineOfTextsIsRefused) {
  Topology topology("t");
  topology.from(records<std::string>({{"a"}})).to(view("v", {.kind = ViewKind::number}));
  const auto problems = topology.declaration().graph.validate();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems.front().message(), HasSubstr("a number needs a number to draw"));
}

}  // namespace
}  // namespace millrace::detail
