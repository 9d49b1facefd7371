// What a pattern of values must be, and how it is written.
#include "operator/value_pattern.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pattern/match_plan.hpp"

namespace millrace {
namespace {

using detail::PatternShape;
using detail::StageKind;
using detail::StageShape;

constexpr std::uint32_t kTimesMax = 1000;
constexpr std::size_t kNameMax = 50;
/// Of conditions that remember, which bits of a key say are met.
constexpr std::size_t kRemembersBelow = 64;

/// Why a rule is no condition on a value; empty: it is one.
std::string why_no_condition(const Rule& rule) {
  if (const Status valid = rule.validate(); !valid) return std::string(valid.message());
  if (rule.kind() == Rule::Kind::silent) {
    return fmt::format(
        "\"{}\" is met where nothing comes, and a pattern takes values: say what must not come, "
        "such as then_not(above(90)).lasting(30s)",
        rule.to_string());
  }
  if (rule.lasting_us() > 0) {
    return fmt::format(
        "\"{}\" begins by time, and a pattern takes values one by one: times(3).consecutive() says "
        "how many, and lasting stands behind a then_not at the end",
        rule.to_string());
  }
  return {};
}

/// A stage's for a condition: it has no blanks, is not long and stands once in the pattern.
std::string free_name(const PatternShape& shape, std::string condition) {
  std::erase(condition, ' ');
  condition.resize(std::min(condition.size(), kNameMax));
  std::string name = condition;
  const auto is_taken = [&] {
    return std::ranges::find(shape.stages, name, &StageShape::name) != shape.stages.end();
  };
  for (int number = 2; is_taken(); ++number) name = fmt::format("{}#{}", condition, number);
  return name;
}

}  // namespace

ValuePattern::ValuePattern(const Rule& first) {
  shape_.after_match = AfterMatch::skip_past_last;
  add(first, StageKind::single, Contiguity::followed_by);
}

ValuePattern ValuePattern::times(std::uint32_t count) const {
  ValuePattern pattern = *this;
  StageShape& last = pattern.shape_.stages.back();
  last.times_min = last.times_max = count;
  if (count < 1 || count > kTimesMax)
    pattern.misused_ = "a pattern's times takes how often, from 1 to 1,000";
  return pattern;
}

ValuePattern ValuePattern::consecutive() const {
  ValuePattern pattern = *this;
  pattern.shape_.stages.back().inner = Contiguity::next;
  return pattern;
}

ValuePattern ValuePattern::then(const Rule& condition) const {
  return with(condition, StageKind::single, Contiguity::followed_by);
}
ValuePattern ValuePattern::then_next(const Rule& condition) const {
  return with(condition, StageKind::single, Contiguity::next);
}
ValuePattern ValuePattern::then_not(const Rule& condition) const {
  return with(condition, StageKind::not_followed_by, Contiguity::followed_by);
}

ValuePattern ValuePattern::lasting(Duration span) const {
  ValuePattern pattern = *this;
  pattern.shape_.stages.back().lasting = span;
  if (span <= Duration(0)) pattern.misused_ = "a pattern's lasting is not above 0: give a span";
  return pattern;
}

ValuePattern ValuePattern::within(Duration span) const {
  ValuePattern pattern = *this;
  pattern.shape_.within = span;
  if (span <= Duration(0)) pattern.misused_ = "a pattern's within is not above 0: give a span";
  return pattern;
}

ValuePattern ValuePattern::with(const Rule& condition, StageKind kind,
                                Contiguity contiguity) const {
  ValuePattern pattern = *this;
  pattern.add(condition, kind, contiguity);
  return pattern;
}

void ValuePattern::add(const Rule& condition, StageKind kind, Contiguity contiguity) {
  const std::string text = condition.to_string();
  StageShape stage;
  stage.kind = kind;
  stage.contiguity = contiguity;
  const auto known = std::ranges::find(conditions_, text, &Rule::to_string);
  stage.condition = static_cast<std::uint32_t>(known - conditions_.begin());
  if (known == conditions_.end()) conditions_.push_back(condition);
  stage.name = free_name(shape_, text);
  shape_.stages.push_back(std::move(stage));
}

std::string ValuePattern::problem() const {
  if (misused_ != nullptr) return misused_;
  for (std::size_t at = 0; at < conditions_.size(); ++at) {
    if (std::string why = why_no_condition(conditions_[at]); !why.empty()) return why;
    if (at >= kRemembersBelow && conditions_[at].remembers())
      return "a pattern has more than 64 conditions: say it by several rules";
  }
  std::uint32_t records = 0;
  for (const StageShape& stage : shape_.stages)
    records += stage.kind == StageKind::single ? stage.times_max : 0;
  if (records > 1 && shape_.within.count() == 0)
    return "a pattern needs a within(...): what it has begun is kept until then";
  return {};
}

Result<detail::MatchPlan> ValuePattern::plan() const {
  if (std::string wrong = problem(); !wrong.empty())
    return Status(Code::parameter_invalid, std::move(wrong));
  return detail::MatchPlan::of(shape_);
}

Status ValuePattern::validate() const { return plan().error(); }

std::string ValuePattern::to_string() const {
  std::string text;
  for (const StageShape& stage : shape_.stages) {
    const std::string condition = conditions_[stage.condition].to_string();
    if (text.empty()) {
      text = condition;
    } else {
      const bool next = stage.contiguity == Contiguity::next;
      text += fmt::format(".{}({})",
                          stage.kind != StageKind::single ? "then_not"
                          : next                          ? "then_next"
                                                          : "then",
                          condition);
    }
    if (stage.times_max > 1) text += fmt::format(".times({})", stage.times_max);
    if (stage.inner == Contiguity::next) text += ".consecutive()";
    if (stage.lasting != Duration(0))
      text += fmt::format(".lasting({})", detail::format_duration(stage.lasting));
  }
  if (shape_.within != Duration(0))
    text += fmt::format(".within({})", detail::format_duration(shape_.within));
  return text;
}

ValuePattern Rule::times(std::uint32_t count) const { return ValuePattern(*this).times(count); }
ValuePattern Rule::then(const Rule& condition) const { return ValuePattern(*this).then(condition); }
ValuePattern Rule::then_next(const Rule& condition) const {
  return ValuePattern(*this).then_next(condition);
}
ValuePattern Rule::then_not(const Rule& condition) const {
  return ValuePattern(*this).then_not(condition);
}

}  // namespace millrace
