// ValuePattern: what must come in the values of a key, one after the other, as data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "base/time.hpp"
#include "operator/rule.hpp"
#include "pattern/pattern.hpp"

namespace millrace {

namespace detail {
struct MatchPlan;
}  // namespace detail

/// A pattern of values that a rule of a set may be: RuleText{"hot", above(90).times(3)
/// .within(10min).then_not(below(60)).lasting(5min).to_string()}. Begun by calls of a Rule, the
/// condition on the first value; its calls change a copy. Any thread may read it.
///
/// A condition is any rule that a value by itself begins: above, below with or without an end of
/// their own, rises_by, falls_by and deviates_by. A value meets it where it meets the rule: what it
/// is measured by (the values of its span, the baseline, whether it was met) are all values of the
/// key, in a match or not. silent_for and a rule that lasts are begun by time and are none.
class ValuePattern {
 public:
  explicit ValuePattern(const Rule& first);

  /// The stage takes so many values, 1 to 1,000; what does not fit between them is passed over.
  ValuePattern times(std::uint32_t count) const;
  /// One of them directly behind the other.
  ValuePattern consecutive() const;
  /// The next value that fits; what does not is passed over.
  ValuePattern then(const Rule& condition) const;
  /// The value directly behind.
  ValuePattern then_next(const Rule& condition) const;
  /// None fits up to the next stage; at the end: for lasting(), or until within() is over.
  ValuePattern then_not(const Rule& condition) const;
  /// Of then_not() at the end: so long behind the last value.
  ValuePattern lasting(Duration span) const;
  /// The last value's time less the first one's is below that. Needed where more than one is taken.
  ValuePattern within(Duration span) const;

  /// 2010 for a condition that is none, a pattern that is never decided or too large.
  Status validate() const;
  /// As it is written: "above(90).times(3).then_not(below(60)).lasting(5min).within(10min)".
  std::string to_string() const;

  // Internal.
  Result<detail::MatchPlan> plan() const;
  /// By the numbers that the plan gives them; equal ones have one.
  const std::vector<Rule>& conditions() const { return conditions_; }

 private:
  ValuePattern with(const Rule& condition, detail::StageKind kind, Contiguity contiguity) const;
  void add(const Rule& condition, detail::StageKind kind, Contiguity contiguity);
  std::string problem() const;

  detail::PatternShape shape_;
  std::vector<Rule> conditions_;
  const char* misused_ = nullptr;
};

}  // namespace millrace
