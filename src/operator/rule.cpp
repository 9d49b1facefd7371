// What a rule must be, and how it is written.
#include "operator/rule.hpp"

#include <cmath>

#include <fmt/format.h>

namespace millrace {

Rule Rule::until(double value, Kind of) const {
  Rule rule = *this;
  rule.until_ = value;
  if (kind_ != of)
    rule.refuse("a rule's until_below belongs to above, its until_above to below: leave it away");
  return rule;
}

Rule Rule::lasting(Duration span) const {
  Rule rule = *this;
  rule.lasting_ = span;
  if (kind_ == Kind::silent)
    rule.refuse("silent_for has a span already: leave lasting away and give a longer one");
  if (span <= Duration(0)) rule.refuse("a rule's lasting is not above 0: give a span, or leave it");
  return rule;
}

Rule Rule::over_last(std::int64_t records) const {
  Rule rule = *this;
  rule.records_ = records;
  if (kind_ != Kind::deviates)
    rule.refuse("over_last belongs to deviates_by: other rules have no baseline");
  if (records < 2)
    rule.refuse("a baseline of fewer than 2 values has no deviation: give at least 2");
  return rule;
}

Rule Rule::by_time_of_day(Duration part) const {
  Rule rule = *this;
  rule.part_of_day_ = part;
  if (kind_ != Kind::deviates)
    rule.refuse("by_time_of_day belongs to deviates_by: other rules have no baseline");
  if (part <= Duration(0) || part > Duration(std::chrono::hours(24)))
    rule.refuse("by_time_of_day takes a part of a day: give above 0 and at most 24h");
  return rule;
}

Rule Rule::and_at_least(double distance) const {
  Rule rule = *this;
  rule.distance_ = distance;
  if (kind_ != Kind::deviates)
    rule.refuse("and_at_least belongs to deviates_by: other rules have a limit");
  if (!(distance >= 0) || !std::isfinite(distance))
    rule.refuse("and_at_least takes a distance of at least 0");
  return rule;
}

const char* Rule::problem() const {
  if (misused_ != nullptr) return misused_;
  if (!std::isfinite(limit_)) return "a rule's limit is no number, or without end: give a number";
  if (until_ && !(kind_ == Kind::above ? *until_ <= limit_ : *until_ >= limit_)) {
    return "a rule ends before it begins: give until_below at most the limit of above, until_above "
           "at least that of below";
  }
  const bool moves = kind_ == Kind::rises || kind_ == Kind::falls || kind_ == Kind::deviates;
  if (moves && limit_ <= 0) return "a rule is met by no change at all: give a limit above 0";
  const bool has_span = kind_ == Kind::rises || kind_ == Kind::falls || kind_ == Kind::silent;
  if (has_span && span_ <= Duration(0))
    return "a rule's span is not above 0: give one, such as 30s";
  return nullptr;
}

Status Rule::validate() const {
  const char* const wrong = problem();
  return wrong == nullptr ? Status() : Status(Code::parameter_invalid, wrong);
}

std::string Rule::to_string() const {
  constexpr const char* kNames[] = {"above",    "below",      "rises_by",
                                    "falls_by", "silent_for", "deviates_by"};
  std::string text = kNames[static_cast<std::size_t>(kind_)];
  if (kind_ == Kind::silent) {
    text += fmt::format("({})", detail::format_duration(span_));
  } else if (kind_ == Kind::rises || kind_ == Kind::falls) {
    text += fmt::format("({}, {})", limit_, detail::format_duration(span_));
  } else {
    text += fmt::format("({})", limit_);
  }
  if (until_)
    text += fmt::format(".until_{}({})", kind_ == Kind::above ? "below" : "above", *until_);
  if (records_ != 100) text += fmt::format(".over_last({})", records_);
  if (part_of_day_ != Duration(0))
    text += fmt::format(".by_time_of_day({})", detail::format_duration(part_of_day_));
  if (distance_ != 0) text += fmt::format(".and_at_least({})", distance_);
  if (lasting_ != Duration(0))
    text += fmt::format(".lasting({})", detail::format_duration(lasting_));
  return text;
}

Rule above(double limit) { return {Rule::Kind::above, limit, Duration(0)}; }
Rule below(double limit) { return {Rule::Kind::below, limit, Duration(0)}; }
Rule rises_by(double least, Duration within) { return {Rule::Kind::rises, least, within}; }
Rule falls_by(double least, Duration within) { return {Rule::Kind::falls, least, within}; }
Rule silent_for(Duration span) { return {Rule::Kind::silent, 0, span}; }
Rule deviates_by(double deviations) { return {Rule::Kind::deviates, deviations, Duration(0)}; }

}  // namespace millrace
