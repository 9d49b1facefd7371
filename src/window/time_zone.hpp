// TimeZone: what a zone's local time is ahead of UTC at each instant, past and future.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "window/zone_rule.hpp"

namespace millrace::detail {

/// The changes of a TZif file (RFC 9636), and behind the last of them those of its yearly rule, for
/// ever: the calendar repeats itself after 400 years, so that many years of the rule are kept.
/// Local times are microseconds too, those that a clock of UTC would show for the same digits.
/// Before the first change the zone's first local time holds, mostly that of the sun. Immutable.
///
/// Cost: a binary search a call. Memory: 16 bytes a change, some 13 KB for a zone with summer time.
class TimeZone {
 public:
  /// UTC, which needs no data.
  TimeZone() : offsets_{0} {}
  /// nullopt for bytes that are no such file, or are cut or damaged, or count leap seconds.
  static std::optional<TimeZone> parse(std::string_view tzif);

  /// How far local time is ahead of UTC at `time`.
  std::int64_t offset_at(Time time) const;
  /// The first instant at which a clock there shows `local` or more: of an hour that comes twice
  /// the first, of one that is left out the instant at which it is.
  Time first_at(Time local) const;

 private:
  void append(ZoneChange change);
  /// Appends 401 years of the rule.
  void go_on_by(const ZoneRule& rule);
  /// How many whole 400 years `time` lies beyond what is kept.
  std::int64_t cycles_before(Time time) const;
  std::size_t interval_of(Time time) const;

  std::vector<Time> starts_;           ///< ascending
  std::vector<std::int64_t> offsets_;  ///< before starts_[0], from starts_[0] on, ...
  Time repeats_from_ = kTimeMax;  ///< the changes of 400 years from here on come again and again
};

}  // namespace millrace::detail
