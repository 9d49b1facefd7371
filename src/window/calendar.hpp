// Calendar: the days, weeks, months, quarters and years of a time zone.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.hpp"
#include "base/time.hpp"
#include "window/time_zone.hpp"

namespace millrace::detail {

enum class CalendarUnit { day, week, month, quarter, year };

/// [start, end)
struct Period {
  Time start;
  Time end;
};

/// Cuts all time into periods. One begins at the first instant at which the clocks of the zone show
/// its first midnight or more: where that midnight is left out when they do, where it comes twice
/// the first time. So periods follow each other without gaps whatever clocks do; a date that a zone
/// has skipped has none. Immutable.
class Calendar {
 public:
  /// Reads the zone's data. `first` is the weekday on which weeks begin, 0: Sunday.
  static Calendar of(CalendarUnit unit, std::string_view zone, unsigned first);

  /// 2005 where there is no such zone: then all is UTC's.
  const Status& problem() const { return problem_; }
  /// The period that holds `time` where all of them begin `offset` of local time after midnight.
  /// Cut at the ends of time.
  Period period_of(Time time, std::int64_t offset) const;
  /// Length of most: 24 h, 7 d, 28 d, 90 d, 365 d.
  std::int64_t length_us() const;
  /// "daily(Europe/Berlin)", "weekly(Europe/Berlin, sunday)".
  std::string to_string() const;

 private:
  /// First day of the period that holds a day; of the next one.
  std::int64_t first_day(std::int64_t day) const;
  std::int64_t day_after(std::int64_t first_day) const;
  Time start_of(std::int64_t day, std::int64_t offset) const;

  CalendarUnit unit_ = CalendarUnit::day;
  unsigned first_weekday_ = 1;
  std::string zone_name_;
  TimeZone zone_;
  Status problem_;
};

/// One Calendar that all copies share, or none. A literal type, as a shared_ptr is not, so that
/// windows of a fixed length remain constants.
class CalendarRef {
 public:
  constexpr CalendarRef() = default;
  explicit CalendarRef(Calendar calendar) : shared_(new Shared{{1}, std::move(calendar)}) {}
  constexpr CalendarRef(const CalendarRef& other) : shared_(other.shared_) {
    if (shared_) retain();
  }
  constexpr CalendarRef& operator=(CalendarRef other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  constexpr ~CalendarRef() {
    if (shared_) release();
  }

  constexpr explicit operator bool() const { return shared_ != nullptr; }
  const Calendar* operator->() const { return &shared_->calendar; }

 private:
  struct Shared {
    std::atomic<int> owners;
    Calendar calendar;
  };
  void retain() const { shared_->owners.fetch_add(1, std::memory_order_relaxed); }
  void release() const {
    if (shared_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete shared_;
  }

  Shared* shared_ = nullptr;
};

}  // namespace millrace::detail
