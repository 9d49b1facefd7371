// Windows of a calendar begin and end where libc's clocks say, and hold what a naive model puts
// there.
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <set>

#include "base/time.hpp"
#include "env/random.hpp"
#include "env/zone_files.hpp"
#include "schedule_run.hpp"
#include "window/time_zone.hpp"
#include "window/window.hpp"

namespace millrace::property {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kDay = 86'400;

Time at(const char* text) { return detail::parse_iso_time(text).value(); }

/// The local time of this process is that of a zone for as long as this lives.
class Libc {
 public:
  explicit Libc(const std::string& zone) {
    setenv("TZ", zone.c_str(), 1);
    tzset();
  }
  ~Libc() {
    unsetenv("TZ");
    tzset();
  }
  static std::int64_t offset(std::int64_t seconds) {
    const std::time_t when = seconds;
    std::tm local{};
    localtime_r(&when, &local);
    return local.tm_gmtoff;
  }
};

struct Drawn {
  std::string zone;
  int unit = 0;  ///< daily, weekly, monthly, quarterly, yearly
  unsigned first_weekday = 1;
  std::int64_t offset = 0;  ///< seconds

  Windows windows() const {
    const Windows made = unit == 0   ? daily(zone)
                         : unit == 1 ? weekly(zone, std::chrono::weekday(first_weekday))
                         : unit == 2 ? monthly(zone)
                         : unit == 3 ? quarterly(zone)
                                     : yearly(zone);
    return made.offset(std::chrono::seconds(offset));
  }
};

/// The furthest that clocks had shown until then: back is not forth again.
std::int64_t shown_until(std::int64_t seconds) {
  const std::int64_t now = Libc::offset(seconds);
  bool same = true;
  for (int hours = 1; hours <= 26 && same; ++hours)
    same = Libc::offset(seconds - hours * 3'600) == now;
  std::int64_t furthest = seconds + now;
  for (int minutes = 1; minutes <= 26 * 60 && !same; ++minutes) {
    const std::int64_t before = seconds - minutes * 60;
    furthest = std::max(furthest, before + Libc::offset(before));
  }
  return furthest;
}

/// A number for each period, greater for a later one.
std::int64_t label(const Drawn& drawn, std::int64_t seconds) {
  const std::time_t local = shown_until(seconds) - drawn.offset;
  std::tm date{};
  gmtime_r(&local, &date);
  const std::int64_t day = (local - (date.tm_hour * 3'600 + date.tm_min * 60 + date.tm_sec)) / kDay;
  const std::int64_t month = date.tm_year * 12 + date.tm_mon;
  switch (drawn.unit) {
    case 0:
      return day;
    case 1:
      return day - (date.tm_wday - static_cast<int>(drawn.first_weekday) + 7) % 7;
    case 2:
      return month;
    case 3:
      return (month + 12'000) / 3;
    default:
      return date.tm_year;
  }
}

/// The first second in (low, high] whose label is at least `wanted`.
std::int64_t first_labelled(const Drawn& drawn, std::int64_t low, std::int64_t high,
                            std::int64_t wanted) {
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (label(drawn, middle) >= wanted ? high : low) = middle;
  }
  return high;
}

detail::Period model_of(const Drawn& drawn, std::int64_t seconds) {
  constexpr std::int64_t kSpans[] = {3, 9, 34, 95, 369};
  const std::int64_t reach = kSpans[drawn.unit] * kDay;
  const std::int64_t own = label(drawn, seconds);
  return {first_labelled(drawn, seconds - reach, seconds, own) * kSecond,
          first_labelled(drawn, seconds, seconds + reach, own + 1) * kSecond};
}

const char* const kZones[] = {
    "Europe/Berlin",     "Europe/London",    "Europe/Dublin",       "America/New_York",
    "America/Sao_Paulo", "America/Havana",   "America/St_Johns",    "America/Juneau",
    "America/Nuuk",      "America/Santiago", "Asia/Beirut",         "Asia/Kolkata",
    "Asia/Tehran",       "Asia/Kathmandu",   "Pacific/Apia",        "Pacific/Kwajalein",
    "Pacific/Chatham",   "Asia/Manila",      "Australia/Lord_Howe", "Africa/Casablanca",
    "Africa/Cairo",      "Antarctica/Troll", "Asia/Gaza",           "UTC"};

/// A time, mostly within two days of one at which clocks are changed.
std::int64_t draw_time(detail::Random& random) {
  const std::int64_t time = random.between(-3'900'000'000, 17'000'000'000);  // 1846 to 2508
  if (random.chance(0.25)) return time;
  if (random.chance(0.1))
    return random.between(1'325'239'200 - kDay, 1'325'239'200 + kDay);  // Apia
  if (random.chance(0.1))
    return random.between(1'709'078'400, 1'709'078'400 + 3 * kDay);  // leap day
  const std::int64_t before = Libc::offset(time);
  for (std::int64_t day = 1; day < 370; ++day) {
    if (Libc::offset(time + day * kDay) != before)
      return time + day * kDay + random.between(-2 * kDay, 2 * kDay);
  }
  return time;
}

/// What the draws hit of the edges of calendars.
struct Hits {
  std::uint64_t short_days = 0, long_days = 0;
  std::uint64_t no_midnight = 0;     ///< clocks skip the beginning of the period
  std::uint64_t midnight_twice = 0;  ///< or go back over it
  std::uint64_t skipped_dates = 0;
  std::uint64_t leap_days = 0, before_1970 = 0, behind_the_table = 0;
};

void count(Hits& hits, const Drawn& drawn, const detail::Period& period) {
  const std::int64_t start = period.start / kSecond;
  const std::int64_t length = period.end / kSecond - start;
  const std::int64_t shown = start + Libc::offset(start) - drawn.offset;
  if (drawn.unit == 0) {
    hits.short_days += length < kDay;
    hits.long_days += length > kDay;
    hits.skipped_dates += label(drawn, start + length) > label(drawn, start) + 1;
    const std::time_t local = shown;
    std::tm date{};
    gmtime_r(&local, &date);
    hits.leap_days += date.tm_mon == 1 && date.tm_mday == 29;
  }
  hits.no_midnight += shown % kDay != 0;
  hits.midnight_twice +=
      Libc::offset(start + 7'200) < Libc::offset(start) &&
      start + 7'200 + Libc::offset(start + 7'200) < shown + drawn.offset + 7'200 &&
      Libc::offset(start) == Libc::offset(start + 59);
  hits.before_1970 += period.start < 0;
  hits.behind_the_table += period.start > at("2038-01-01");
}

Drawn draw(detail::Random& random) {
  Drawn drawn{kZones[random.below(std::size(kZones))], static_cast<int>(random.below(5)), 1, 0};
  if (random.chance(0.5)) drawn.unit = 0;
  if (random.chance(0.05)) drawn.zone = "Pacific/Apia";
  if (random.chance(0.3)) drawn.first_weekday = static_cast<unsigned>(random.below(7));
  if (random.chance(0.2)) drawn.offset = random.between(-30, 30) * 1'800;
  return drawn;
}

TEST(Calendar, PeriodsBeginAndEndWhereLibcSaysAtEveryEdge) {
  if (!detail::read_zone_file("Europe/Berlin")) GTEST_SKIP() << "no time zones here: tzdata";
  detail::Random random(77);
  Hits hits;
  for (int round = 0; round < 1'500; ++round) {
    const Drawn drawn = draw(random);
    const Windows windows = drawn.windows();
    ASSERT_TRUE(windows.validate().ok()) << windows.validate().to_string();
    const Libc clocks(drawn.zone);
    const std::int64_t seconds = draw_time(random);
    const detail::Period model = model_of(drawn, seconds);
    count(hits, drawn, model);
    for (const Time time : {seconds * kSecond, model.start, model.start + 1, model.end - 1}) {
      const detail::Period found = windows.pane_of(time);
      ASSERT_EQ(detail::format_iso_time(found.start), detail::format_iso_time(model.start))
          << windows.to_string() << " " << detail::format_iso_time(time);
      ASSERT_EQ(detail::format_iso_time(found.end), detail::format_iso_time(model.end))
          << windows.to_string() << " " << detail::format_iso_time(time);
      ASSERT_EQ(windows.first_end(time), model.end);
      ASSERT_EQ(windows.last_end(time), model.end);
      ASSERT_EQ(windows.next_end_after(time), model.end);
    }
    ASSERT_EQ(windows.start_of(model.end), model.start) << windows.to_string();
    ASSERT_EQ(windows.pane_of(model.end).start, model.end) << windows.to_string();
    ASSERT_EQ(windows.pane_of(model.start - 1).end, model.start) << windows.to_string();
  }
  EXPECT_GT(hits.short_days, 20u);
  EXPECT_GT(hits.long_days, 20u);
  EXPECT_GT(hits.no_midnight, 3u);
  EXPECT_GT(hits.midnight_twice, 3u);
  EXPECT_GT(hits.skipped_dates, 0u);
  EXPECT_GT(hits.leap_days, 0u);
  EXPECT_GT(hits.before_1970, 100u);
  EXPECT_GT(hits.behind_the_table, 100u);
}

struct Known {
  const char* what;
  const char* zone;
  int unit;
  const char* within;
  const char* start;
  const char* end;
};

/// By hand, from the announcements of the changes.
constexpr Known kKnown[] = {
    {"23 hours", "Europe/Berlin", 0, "2024-03-31T12:00:00Z", "2024-03-30T23:00:00Z",
     "2024-03-31T22:00:00Z"},
    {"25 hours", "Europe/Berlin", 0, "2024-10-27T12:00:00Z", "2024-10-26T22:00:00Z",
     "2024-10-27T23:00:00Z"},
    {"begins at one o'clock", "America/Sao_Paulo", 0, "2018-11-04T12:00:00Z",
     "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"},
    {"begins at one o'clock", "Asia/Beirut", 0, "2022-03-27T12:00:00Z", "2022-03-26T22:00:00Z",
     "2022-03-27T21:00:00Z"},
    {"midnight comes twice", "America/Havana", 0, "2023-11-05T12:00:00Z", "2023-11-05T04:00:00Z",
     "2023-11-06T05:00:00Z"},
    {"a minute past midnight it is yesterday again", "America/St_Johns", 0, "2010-11-07T02:45:00Z",
     "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"},
    {"the 30th was skipped", "Pacific/Apia", 0, "2011-12-30T09:00:00Z", "2011-12-29T10:00:00Z",
     "2011-12-30T10:00:00Z"},
    {"the 31st follows the 29th", "Pacific/Apia", 0, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z",
     "2011-12-31T10:00:00Z"},
    {"a leap day", "Asia/Tokyo", 0, "2024-02-29T00:00:00Z", "2024-02-28T15:00:00Z",
     "2024-02-29T15:00:00Z"},
    {"a week from Monday", "Europe/Berlin", 1, "2024-03-31T12:00:00Z", "2024-03-24T23:00:00Z",
     "2024-03-31T22:00:00Z"},
    {"February of a leap year", "UTC", 2, "2024-02-29T23:59:59.999999Z", "2024-02-01T00:00:00Z",
     "2024-03-01T00:00:00Z"},
    {"no leap year", "UTC", 2, "1900-02-28T00:00:00Z", "1900-02-01T00:00:00Z",
     "1900-03-01T00:00:00Z"},
    {"from October on", "America/New_York", 3, "2023-12-31T23:00:00Z", "2023-10-01T04:00:00Z",
     "2024-01-01T05:00:00Z"},
    {"a year", "Asia/Kolkata", 4, "2023-06-01T00:00:00Z", "2022-12-31T18:30:00Z",
     "2023-12-31T18:30:00Z"},
    {"far beyond the table", "Europe/Berlin", 0, "+8024-07-01T12:00:00Z", "+8024-06-30T22:00:00Z",
     "+8024-07-01T22:00:00Z"},
    {"before clocks were the same", "Europe/Berlin", 0, "1850-01-01T12:00:00Z",
     "1849-12-31T23:06:32Z", "1850-01-01T23:06:32Z"},
};

TEST(Calendar, KnownPeriods) {
  if (!detail::read_zone_file("Europe/Berlin")) GTEST_SKIP() << "no time zones here: tzdata";
  setenv("TZ", "Asia/Tokyo", 1);  // no say
  for (const Known& known : kKnown) {
    const detail::Period found = Drawn{known.zone, known.unit}.windows().pane_of(at(known.within));
    EXPECT_EQ(detail::format_iso_time(found.start), detail::format_iso_time(at(known.start)))
        << known.zone << ": " << known.what;
    EXPECT_EQ(detail::format_iso_time(found.end), detail::format_iso_time(at(known.end)))
        << known.zone << ": " << known.what;
  }
  unsetenv("TZ");
}

TEST(Calendar, RepeatsItselfAndReachesTheEndsOfTime) {
  if (!detail::read_zone_file("Europe/Berlin")) GTEST_SKIP() << "no time zones here: tzdata";
  detail::Random random(5);
  constexpr std::int64_t kCycle = 146'097 * kDay * kSecond;
  for (int round = 0; round < 300; ++round) {
    const Drawn drawn = draw(random);
    const Windows windows = drawn.windows();
    const Time time = random.between(at("2120-01-01"), at("2519-01-01"));
    const std::int64_t ahead = random.between(1, 700) * kCycle;
    EXPECT_EQ(windows.pane_of(time + ahead).start, windows.pane_of(time).start + ahead);
    EXPECT_EQ(windows.pane_of(time + ahead).end, windows.pane_of(time).end + ahead);
    for (const Time end : {kTimeMin, kTimeMin + 1, kTimeMax - 1, kTimeMax}) {
      const detail::Period last = windows.pane_of(end);
      EXPECT_LE(last.start, end);
      EXPECT_GE(last.end, end);
    }
  }
}

TEST(Calendar, DamagedDataIsRefusedAndNeverReadBeyondItsEnd) {
  const auto bytes = detail::read_zone_file("Europe/Berlin");
  if (!bytes) GTEST_SKIP() << "no time zones here: tzdata";
  ASSERT_TRUE(detail::TimeZone::parse(*bytes));
  for (std::size_t length = 0; length < bytes->size(); ++length)
    EXPECT_FALSE(detail::TimeZone::parse(std::string(*bytes, 0, length))) << length;
  detail::Random random(3);
  for (int round = 0; round < 3'000; ++round) {
    std::string changed = *bytes;
    for (int times = 0; times < 3; ++times)
      changed[random.below(round % 2 ? 100 : changed.size())] = static_cast<char>(random());
    if (const auto zone = detail::TimeZone::parse(changed))
      (void)zone->first_at(random.between(0, kTimeMax));
  }
}

TEST(Calendar, WhatIsMissingIsSaidWithWhatToDo) {
  const auto gone = detail::read_zone_file("Europe/Berlin", "no/such/folder");
  EXPECT_EQ(gone.error().code(), Code::window_invalid);
  EXPECT_NE(gone.error().message().find("apt-get install tzdata"), std::string::npos);
  EXPECT_TRUE(daily("UTC").validate().ok());
  if (!detail::read_zone_file("Europe/Berlin")) GTEST_SKIP() << "no time zones here: tzdata";
  const auto message = [](const char* zone) { return daily(zone).validate().message(); };
  EXPECT_NE(message("Europe/Berln").find("did you mean Europe/Berlin?"), std::string::npos);
  for (const char* zone : {"", "/etc/passwd", "../zoneinfo/UTC", "zone.tab", "Europe", "Europe/"})
    EXPECT_EQ(daily(zone).validate().code(), Code::window_invalid) << zone;
  EXPECT_EQ(weekly("Asia/Tokyo", std::chrono::Sunday).offset(6h).to_string(),
            "weekly(Asia/Tokyo, sunday).offset(6h)");
  EXPECT_EQ(daily("UTC").early(every(24h)).validate().code(), Code::window_invalid);
}

struct Visit {
  std::int32_t key = 0;
  std::int64_t number = 0;
  Timestamp time;
};

/// Visits around a change of the clocks of `zone`, up to `bound` out of order and, seldom, later.
std::vector<Visit> draw_visits(detail::Random& random, const Drawn& drawn, std::int64_t bound) {
  std::vector<Visit> visits;
  std::int64_t seconds = draw_time(random) - 3 * kDay;
  for (int index = 0; index < 120; ++index) {
    seconds += random.between(0, 2 * 7'200);
    std::int64_t back = random.between(0, random.chance(0.1) ? 3 * bound : bound);
    if (random.chance(0.2)) back = 0;
    Time time = (seconds - back) * kSecond;
    // Onto an edge, or a microsecond before it.
    if (random.chance(0.2)) time = model_of(drawn, seconds - back).end - random.between(0, 1);
    visits.push_back({static_cast<std::int32_t>(random.below(3)), random.between(-9, 9), {time}});
  }
  return visits;
}

using Bounds = std::pair<Time, Time>;

std::string text_of(std::int32_t key, Time start, Time end) {
  return fmt::format("{} [{}, {})", key, detail::format_iso_time(start),
                     detail::format_iso_time(end));
}

TEST(Calendar, WindowsHoldWhatANaiveModelPutsThereWhateverTheSchedule) {
  if (!detail::read_zone_file("Europe/Berlin")) GTEST_SKIP() << "no time zones here: tzdata";
  std::uint64_t late = 0;
  std::uint64_t at_start = 0;
  for_each_seed([&](std::uint64_t seed) {
    detail::Random random(seed);
    const Drawn drawn = draw(random);
    const std::int64_t bound = random.between(0, 40'000);
    std::vector<Visit> visits;
    Rows expected;
    {
      const Libc clocks(drawn.zone);
      visits = draw_visits(random, drawn, bound);
      std::map<std::pair<std::int32_t, Bounds>, std::int64_t> sums;
      Time newest = kTimeMin;
      for (const Visit& visit : visits) {
        const Time time = visit.time.micros;
        const detail::Period window = model_of(drawn, detail::floor_div(time, kSecond));
        const bool is_late = newest != kTimeMin && window.end <= newest - bound * kSecond;
        if (!is_late) sums[{visit.key, {window.start, window.end}}] += visit.number;
        newest = std::max(newest, time);
        late += is_late;
        at_start += time == window.start;
      }
      for (const auto& [of, sum] : sums) {
        expected["sums"].push_back(
            {text_of(of.first, of.second.first, of.second.second), static_cast<double>(sum)});
      }
      std::sort(expected["sums"].begin(), expected["sums"].end());
    }
    const auto declare = [&](Topology& topology, Rows& rows) {
      auto& sums = rows["sums"];
      topology.from(records(std::vector<std::vector<Visit>>{visits}))
          .event_time(&Visit::time, {.out_of_order = std::chrono::seconds(bound)})
          .key_by(&Visit::key)
          .window(drawn.windows())
          .sum(&Visit::number)
          .to(each([&sums](const Aggregate<std::int32_t, std::int64_t>& row) {
            sums.push_back({text_of(row.key, row.window_start, row.window_end),
                            static_cast<double>(row.value)});
          }));
    };
    return same_for_all_schedules(seed, declare, expected);
  });
  if (std::getenv("MILLRACE_SEED")) return;
  EXPECT_GT(late, 20u);
  EXPECT_GT(at_start, 20u);
}

TEST(Calendar, EarlyRowsCountFromTheStartOfEachDay) {
  if (!detail::read_zone_file("Europe/Berlin")) GTEST_SKIP() << "no time zones here: tzdata";
  std::vector<std::string> rows;
  Topology topology("early");
  std::vector<Visit> visits;
  for (const char* time : {"2024-03-30T23:00:00Z", "2024-03-31T10:59:59Z", "2024-03-31T11:00:00Z",
                           "2024-03-31T21:59:59Z", "2024-03-31T22:00:00Z"})
    visits.push_back({1, 1, {at(time)}});
  topology.from(records(std::vector<std::vector<Visit>>{visits}))
      .event_time(&Visit::time)
      .key_by(&Visit::key)
      .window(daily("Europe/Berlin").early(every(12h)))
      .count()
      .to(each([&rows](const auto& row) {
        rows.push_back(
            fmt::format("{} until {}", row.value, detail::format_iso_time(row.window_end)));
      }));
  detail::Engine engine(detail::make_plan(topology.declaration().graph, {}), {},
                        detail::real_env());
  ASSERT_TRUE(engine.start().ok());
  ASSERT_TRUE(engine.finish().ok());
  // The day has 23 hours: its second half is one of 11.
  EXPECT_EQ(rows, (std::vector<std::string>{
                      "2 until 2024-03-31T22:00:00Z", "4 until 2024-03-31T22:00:00Z",
                      "1 until 2024-04-01T22:00:00Z", "1 until 2024-04-01T22:00:00Z"}));
}

}  // namespace
}  // namespace millrace::property
