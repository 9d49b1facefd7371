// Periods of a calendar: dates of local time, and the instants at which they begin.
#include "window/calendar.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/civil_date.hpp"
#include "base/time_unit.hpp"
#include "env/zone_files.hpp"

namespace millrace::detail {
namespace {

std::int64_t months_of(CalendarUnit unit) {
  return unit == CalendarUnit::month ? 1 : unit == CalendarUnit::quarter ? 3 : 12;
}

/// Midnight between the days, cut at the ends of time.
Time midnight(std::int64_t day) {
  Time time = 0;
  if (!__builtin_mul_overflow(day, kDayUs, &time)) return time;
  return day < 0 ? kTimeMin : kTimeMax;
}

}  // namespace

Calendar Calendar::of(CalendarUnit unit, std::string_view zone, unsigned first) {
  Calendar made;
  made.unit_ = unit;
  made.first_weekday_ = first;
  made.zone_name_ = zone;
  if (zone == "UTC") return made;
  auto bytes = read_zone_file(zone);
  if (!bytes) {
    made.problem_ = bytes.error();
  } else if (auto parsed = TimeZone::parse(*bytes)) {
    made.zone_ = std::move(*parsed);
  } else {
    made.problem_ = {Code::window_invalid,
                     fmt::format("the data of the time zone \"{}\" is damaged: install the package "
                                 "tzdata anew",
                                 zone)};
  }
  return made;
}

Period Calendar::period_of(Time time, std::int64_t offset) const {
  time = std::min(time, kTimeMax - 1);
  const Time local = saturating_add(saturating_add(time, zone_.offset_at(time)), -offset);
  std::int64_t first = first_day(floor_div(local, kDayUs));
  std::int64_t next = day_after(first);
  Time start = start_of(first, offset);
  Time end = start_of(next, offset);
  // In the hour that comes again after midnight, and behind a date that was skipped.
  while (end <= time) {
    next = day_after(next);
    start = std::exchange(end, start_of(next, offset));
  }
  return {start, end};
}

std::int64_t Calendar::first_day(std::int64_t day) const {
  if (unit_ == CalendarUnit::day) return day;
  if (unit_ == CalendarUnit::week) return day - (weekday_of(day) + 7 - first_weekday_) % 7;
  const Civil date = civil_from_days(day);
  const auto months = static_cast<unsigned>(months_of(unit_));
  return days_from_civil(date.year, (date.month - 1) / months * months + 1, 1);
}

std::int64_t Calendar::day_after(std::int64_t first_day) const {
  if (unit_ == CalendarUnit::day) return first_day + 1;
  if (unit_ == CalendarUnit::week) return first_day + 7;
  const Civil date = civil_from_days(first_day);
  const std::int64_t month = date.month - 1 + months_of(unit_);
  return days_from_civil(date.year + month / 12, static_cast<unsigned>(month % 12) + 1, 1);
}

Time Calendar::start_of(std::int64_t day, std::int64_t offset) const {
  const Time first = midnight(day);
  const Time local = saturating_add(first, offset);
  for (const Time end_of_time : {kTimeMin, kTimeMax}) {
    if (first == end_of_time || local == end_of_time) return end_of_time;
  }
  return zone_.first_at(local);
}

std::int64_t Calendar::length_us() const {
  constexpr std::array<std::int64_t, 5> kDays = {1, 7, 28, 90, 365};
  return kDays[static_cast<std::size_t>(unit_)] * kDayUs;
}

std::string Calendar::to_string() const {
  constexpr std::array<const char*, 5> kNames = {"daily", "weekly", "monthly", "quarterly",
                                                 "yearly"};
  constexpr std::array<const char*, 7> kDays = {"sunday",   "monday", "tuesday", "wednesday",
                                                "thursday", "friday", "saturday"};
  const bool from_another_day = unit_ == CalendarUnit::week && first_weekday_ != 1;
  return fmt::format("{}({}{}{})", kNames[static_cast<std::size_t>(unit_)], zone_name_,
                     from_another_day ? ", " : "", from_another_day ? kDays[first_weekday_] : "");
}

}  // namespace millrace::detail
