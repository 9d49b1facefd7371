// Rule: when a number of a key is worth an event, as data: above(90).until_below(80).lasting(30s).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace {

class ValuePattern;

/// What is watched in the numbers of each key. Made by above(), below(), rises_by(), falls_by(),
/// silent_for() and deviates_by(); its calls change a copy. Any thread may read it.
class Rule {
 public:
  enum class Kind : std::uint8_t { above, below, rises, falls, silent, deviates };

  /// Hysteresis of above(): once met, met until a value is below `value`, at most the limit.
  Rule until_below(double value) const { return until(value, Kind::above); }
  /// Hysteresis of below(): once met, met until a value is above `value`, at least the limit.
  Rule until_above(double value) const { return until(value, Kind::below); }
  /// Begins when it was met for so long: at each record in [since, since + span]. Of any rule but
  /// silent_for().
  Rule lasting(Duration span) const;
  /// Of deviates_by(): what is usual is told by about so many values, with exponentially falling
  /// weights (2 / (records + 1)). Default 100. Nothing is unusual before there were as many.
  Rule over_last(std::int64_t records) const;
  /// Of deviates_by(): each of these parts of the day (UTC) has its own baseline.
  Rule by_time_of_day(Duration part) const;
  /// Of deviates_by(): a value that is nearer to its baseline is usual, however steady that is.
  Rule and_at_least(double distance) const;

  /// Begin a pattern, of which this is the condition on the first value: see ValuePattern, in
  /// value_pattern.hpp.
  ValuePattern times(std::uint32_t count) const;
  ValuePattern then(const Rule& condition) const;
  ValuePattern then_next(const Rule& condition) const;
  ValuePattern then_not(const Rule& condition) const;

  /// 2010 for a limit that is no number, a span that is not above 0, an end that lies beyond the
  /// limit, and for what the rule's kind has no use for.
  Status validate() const;
  /// As it is written: "above(90).until_below(80).lasting(30s)".
  std::string to_string() const;

  // Internal.
  Kind kind() const { return kind_; }
  double limit() const { return limit_; }
  double until() const { return until_.value_or(limit_); }
  bool has_until() const { return until_.has_value(); }
  std::int64_t span_us() const { return span_.count(); }
  std::int64_t lasting_us() const { return lasting_.count(); }
  std::int64_t records() const { return records_; }
  std::int64_t part_of_day_us() const { return part_of_day_.count(); }
  double distance() const { return distance_; }
  /// Over the values of a span.
  bool looks_back() const { return kind_ == Kind::rises || kind_ == Kind::falls; }
  /// Whether a value meets it depends on those before it.
  bool remembers() const { return looks_back() || kind_ == Kind::deviates || has_until(); }

 private:
  friend Rule above(double limit);
  friend Rule below(double limit);
  friend Rule rises_by(double least, Duration within);
  friend Rule falls_by(double least, Duration within);
  friend Rule silent_for(Duration span);
  friend Rule deviates_by(double deviations);

  Rule(Kind kind, double limit, Duration span) : kind_(kind), limit_(limit), span_(span) {}
  Rule until(double value, Kind of) const;
  const char* problem() const;
  /// That a call does not belong to this kind.
  void refuse(const char* why) {
    if (misused_ == nullptr) misused_ = why;
  }

  Kind kind_;
  double limit_;
  Duration span_;
  std::optional<double> until_;
  Duration lasting_{0};
  std::int64_t records_ = 100;
  Duration part_of_day_{0};
  double distance_ = 0;
  const char* misused_ = nullptr;
};

/// Met by values above `limit`; one that equals it does not meet it.
Rule above(double limit);
/// Met by values below `limit`; one that equals it does not meet it.
Rule below(double limit);
/// Met by a value that is at least `least` more than the key's oldest one of the last `within`: at
/// times >= its own - within.
Rule rises_by(double least, Duration within);
/// The same downwards.
Rule falls_by(double least, Duration within);
/// Met when a key had no value for `span`: none at times up to and with its last + span. A key that
/// never had any is not known.
Rule silent_for(Duration span);
/// Met by a value more than so many standard deviations away from the key's own moving mean.
Rule deviates_by(double deviations);

}  // namespace millrace
