// ZoneRule: how a time zone goes on behind its last known change: the POSIX text at the end of its
// file.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace millrace::detail {

/// From `at` on, local time is UTC + `offset`; both in microseconds.
struct ZoneChange {
  Time at;
  std::int64_t offset;
};

/// When in a year the clocks are changed.
struct YearlyDay {
  enum class Kind {
    day_of_year,  ///< `day` from 0, the leap day counted
    no_leap_day,  ///< `day` from 1 to 365, the leap day never counted
    day_of_month  ///< the `week`-th (5: the last) weekday `day` (0: Sunday) of `month`
  };
  Kind kind;
  int month;
  int week;
  int day;
  std::int64_t clock;  ///< microseconds after midnight of that day, in the local time before
};

/// "CET-1CEST,M3.5.0,M10.5.0/3" of IEEE 1003.1 with the hours of -167 to 167 of RFC 9636.
struct ZoneRule {
  struct Summer {
    std::int64_t offset;
    YearlyDay begins;
    YearlyDay ends;
  };
  std::int64_t offset;  ///< of standard time, microseconds ahead of UTC
  std::optional<Summer> summer;

  /// nullopt for a text that is no such rule.
  static std::optional<ZoneRule> parse(std::string_view text);
  /// Adds the changes of `year`, in no order; none without summer time.
  void add_changes(std::int64_t year, std::vector<ZoneChange>& changes) const;
};

}  // namespace millrace::detail
