// Tests of stamps and durations as text.
#include "base/time.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>

namespace millrace::detail {
namespace {

constexpr Time kSecond = 1'000'000;
constexpr Time kDay = 86'400 * kSecond;

Time parsed(std::string_view text) {
  const auto time = parse_iso_time(text);
  EXPECT_TRUE(time.has_value()) << text;
  return time.value_or(kTimeMin);
}

TEST(IsoTime, ReadsTheUsualForms) {
  constexpr Time kStamp = 1'442'018'818'771'000;
  EXPECT_EQ(parsed("2015-09-12T00:46:58.771Z"), kStamp);
  EXPECT_EQ(parsed("2015-09-12 00:46:58.771"), kStamp);
  EXPECT_EQ(parsed("2015-09-12t00:46:58.771000z"), kStamp);
  EXPECT_EQ(parsed("2015-09-12T00:46:58.771000999Z"), kStamp);
  EXPECT_EQ(parsed("2015-09-12"), 1'442'016'000 * kSecond);
  EXPECT_EQ(parsed("2015-09-12T00:46Z"), kStamp - 58'771'000);
  EXPECT_EQ(parsed("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parsed("1970-01-01T00:00:00.000001Z"), 1);
}

TEST(IsoTime, OffsetsAreTakenOff) {
  const Time noon = parsed("2020-03-01T12:00:00Z");
  EXPECT_EQ(parsed("2020-03-01T14:00:00+02:00"), noon);
  EXPECT_EQ(parsed("2020-03-01T14:00:00+0200"), noon);
  EXPECT_EQ(parsed("2020-03-01T14:00+02"), noon);
  EXPECT_EQ(parsed("2020-03-01T06:30:00-05:30"), noon);
  EXPECT_EQ(parsed("2020-03-01T00:30:00+01:00"), parsed("2020-02-29T23:30:00Z"));
}

TEST(IsoTime, LeapYears) {
  EXPECT_EQ(parsed("2000-03-01") - parsed("2000-02-29"), kDay);
  EXPECT_EQ(parsed("2016-12-31") - parsed("2016-01-01"), 365 * kDay);
  EXPECT_FALSE(parse_iso_time("1900-02-29"));
  EXPECT_FALSE(parse_iso_time("2015-02-29"));
  EXPECT_FALSE(parse_iso_time("2100-02-29"));
  EXPECT_TRUE(parse_iso_time("2400-02-29"));
}

TEST(IsoTime, BeforeTheEpoch) {
  EXPECT_EQ(parsed("1969-12-31T23:59:59.999Z"), -1'000);
  EXPECT_EQ(format_iso_time(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_iso_time(-kSecond), "1969-12-31T23:59:59Z");
  EXPECT_EQ(parsed("0001-01-01"), -62'135'596'800 * kSecond);
  EXPECT_EQ(format_iso_time(-62'135'596'800 * kSecond), "0001-01-01T00:00:00Z");
}

TEST(IsoTime, RefusesWhatIsNoStamp) {
  for (const char* text : {"",
                           "2015",
                           "2015-09",
                           "2015-9-12",
                           "15-09-12",
                           "2015-13-01",
                           "2015-00-01",
                           "2015-04-31",
                           "2015-01-00",
                           "2015-09-12T",
                           "2015-09-12T24:00:00Z",
                           "2015-09-12T00:60:00Z",
                           "2015-09-12T00:00:60Z",
                           "2015-09-12T00:00:00.Z",
                           "2015-09-12T00:00:00.1234567890Z",
                           "2015-09-12T00:00:00+",
                           "2015-09-12T00:00:00+2",
                           "2015-09-12T00:00:00+24:00",
                           "2015-09-12T00:00:00+02:60",
                           "2015-09-12T00:00:00+02:",
                           "2015-09-12T00:00:00ZZ",
                           "2015-09-12T00:00:00 Z",
                           " 2015-09-12",
                           "2015-09-12 ",
                           "2015/09/12",
                           "2015-09-12X00:00:00Z",
                           "2015-09-12Z",
                           "+999999-01-01",
                           "now",
                           "20150912",
                           "2015-09-1a"}) {
    EXPECT_FALSE(parse_iso_time(text)) << text;
  }
}

TEST(IsoTime, WritesAsManyDigitsAsNeeded) {
  EXPECT_EQ(format_iso_time(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_iso_time(1'442'018'818'771'000), "2015-09-12T00:46:58.771Z");
  EXPECT_EQ(format_iso_time(1'442'018'818'771'001), "2015-09-12T00:46:58.771001Z");
  EXPECT_EQ(format_iso_time(50'000), "1970-01-01T00:00:00.050Z");
}

TEST(IsoTime, TheWholeRangeComesBack) {
  std::mt19937_64 random(7);
  for (const Time time : {kTimeMin, kTimeMin + 1, kTimeMax - 1, kTimeMax}) {
    EXPECT_EQ(parsed(format_iso_time(time)), time) << format_iso_time(time);
  }
  for (int i = 0; i < 20'000; ++i) {
    const auto time = static_cast<Time>(random()) >> (random() % 40);
    ASSERT_EQ(parsed(format_iso_time(time)), time) << format_iso_time(time);
  }
}

TEST(IsoTime, DatesAgreeWithStdChrono) {
  using std::chrono::sys_days;
  for (int day = -800'000; day < 800'000; day += 17) {
    const std::chrono::year_month_day date{sys_days{std::chrono::days{day}}};
    if (static_cast<int>(date.year()) < 0 || static_cast<int>(date.year()) > 9999) continue;
    char text[16];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    ASSERT_EQ(parsed(text), day * kDay) << text;
    ASSERT_EQ(format_iso_time(day * kDay), std::string(text) + "T00:00:00Z");
  }
}

TEST(DurationText, ReadsEveryUnit) {
  EXPECT_EQ(parse_duration("10us"), 10us);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("5s"), 5s);
  EXPECT_EQ(parse_duration("15min"), 15min);
  EXPECT_EQ(parse_duration("6h"), 6h);
  EXPECT_EQ(parse_duration("2d"), 48h);
  EXPECT_EQ(parse_duration("0s"), 0s);
}

TEST(DurationText, RefusesTheRest) {
  for (const char* text : {"", "5", "s", "5 s", "-5s", "+5s", "1.5s", "5m", "5sec", "5S", "1h30min",
                           "9223372036854775807s", "99999999999999999999us"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(DurationText, WritesTheGreatestUnitThatDivides) {
  EXPECT_EQ(format_duration(6h), "6h");
  EXPECT_EQ(format_duration(48h), "48h");
  EXPECT_EQ(format_duration(90min), "90min");
  EXPECT_EQ(format_duration(5s), "5s");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(10us), "10us");
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(-5s), "-5s");
}

TEST(SaturatingAdd, StopsAtTheLimits) {
  EXPECT_EQ(saturating_add(kTimeMax, 1), kTimeMax);
  EXPECT_EQ(saturating_add(kTimeMin, -1), kTimeMin);
  EXPECT_EQ(saturating_add(5, -7), -2);
}

TEST(FloorDiv, RoundsDownAlsoBelowZero) {
  EXPECT_EQ(floor_div(7, 5), 1);
  EXPECT_EQ(floor_div(-7, 5), -2);
  EXPECT_EQ(floor_div(-10, 5), -2);
  EXPECT_EQ(floor_div(0, 5), 0);
}

}  // namespace
}  // namespace millrace::detail
