// Tests of LinePoints: points by x, thinned out without losing peaks, within their bound.
#include "connector/line_points.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace millrace::detail {
namespace {

std::size_t size_of(const std::vector<LineReport>& lines) {
  std::size_t points = 0;
  for (const LineReport& line : lines) points += line.points.size();
  return points;
}

TEST(LinePoints, KeepsFewPointsAsTheyAreInTheOrderOfX) {
  LinePoints points(100, 0);
  for (const double x : {3.0, 1.0, 2.0}) points.add("a", x, x * 10);
  points.add("b", 5, 1);
  points.add("a", 2, 99);  // a window that fires again
  const auto lines = points.lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].name, "a");
  ASSERT_EQ(lines[0].points.size(), 3u);
  EXPECT_EQ(lines[0].points[0].x, 1);
  EXPECT_EQ(lines[0].points[1].y, 99);
  EXPECT_EQ(lines[0].points[2].x, 3);
  EXPECT_EQ(lines[1].points[0].y, 1);
}

TEST(LinePoints, ManyPointsAreThinnedOutWithTheirPeaks) {
  constexpr std::size_t kMax = 10'000;
  LinePoints points(kMax, 0);
  constexpr int kPoints = 300'000;
  for (int at = 0; at < kPoints; ++at) {
    const double y = at == 123'457 ? 1000 : at == 200'001 ? -1000 : std::sin(at * 0.001);
    points.add("wave", at, y);
    if (at % 1000 == 0) {
      ASSERT_LE(size_of(points.lines()), kMax);
    }
  }
  const auto lines = points.lines();
  ASSERT_EQ(lines.size(), 1u);
  const auto& line = lines.front().points;
  EXPECT_LE(line.size(), kMax);
  EXPECT_GE(line.size(), kMax / 8) << "thinned out, not thrown away";
  EXPECT_TRUE(std::ranges::is_sorted(line, {}, &LineReport::Point::x));
  EXPECT_EQ(std::ranges::max(line, {}, &LineReport::Point::y).x, 123'457);
  EXPECT_EQ(std::ranges::min(line, {}, &LineReport::Point::y).x, 200'001);
  EXPECT_LT(line.front().x, 200);
  EXPECT_GT(line.back().x, kPoints - 200);
}

TEST(LinePoints, ItsBoundIsOfAllLinesTogether) {
  LinePoints points(1000, 0);
  for (int at = 0; at < 20'000; ++at) points.add("l" + std::to_string(at % 40), at / 40, at);
  const auto lines = points.lines();
  EXPECT_EQ(lines.size(), LinePoints::kLinesMax);
  EXPECT_LE(size_of(lines), 1000u);
  EXPECT_GE(size_of(lines), 100u);
}

TEST(LinePoints, OldPointsGoAndWhatIsNoNumberNeverComes) {
  LinePoints points(1000, 60);
  for (int at = 0; at < 500; ++at) points.add("a", at, 1);
  points.add("a", 10, 7);  // too old
  points.add("a", std::nan(""), 1);
  points.add("a", 499, std::numeric_limits<double>::infinity());
  const auto lines = points.lines();
  EXPECT_EQ(lines[0].points.front().x, 439);
  EXPECT_EQ(lines[0].points.back().x, 499);
  EXPECT_EQ(lines[0].points.size(), 61u);
}

TEST(LinePoints, TimesInMillisecondsKeepTheirOrder) {
  LinePoints points(50, 0);
  for (int at = 0; at < 5000; ++at) points.add("a", 1.442016e12 + at * 1000.0, at);
  const auto lines = points.lines();
  EXPECT_LE(lines[0].points.size(), 50u);
  EXPECT_TRUE(std::ranges::is_sorted(lines[0].points, {}, &LineReport::Point::y));
}

}  // namespace
}  // namespace millrace::detail
