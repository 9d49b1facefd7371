// Reading pattern rules word by word, and running them over values.
#include "operator/pattern_rule.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "operator/call_words.hpp"
#include "operator/rule_watch.hpp"
#include "operator/rule_words.hpp"

namespace millrace::detail {
namespace {

constexpr const char* kUsage =
    "a pattern is above(90) or below(10), then .times(3), .consecutive(), .then(above(95)), "
    ".then_next(below(10)), .then_not(below(60)), .lasting(5min) behind a then_not at the end, and "
    ".within(10min)";
constexpr std::array<std::string_view, 6> kWords = {"times",     "consecutive", "then",
                                                    "then_next", "then_not",    "within"};

/// Reads one word behind the other; throws the sentence that says what is wrong.
class PatternWords {
 public:
  PatternRule read(std::string_view text) {
    for (const std::string_view step : cut_steps(text)) {
      const auto call = outer_call(step);
      if (!call || !word(*call, step)) refuse(step);
    }
    const auto takes = [](const StageShape& stage) {
      return stage.kind == StageKind::single ? stage.times_max : 0;
    };
    std::uint32_t records = 0;
    for (const StageShape& stage : shape_.stages) records += takes(stage);
    if (records > 1 && shape_.within.count() == 0)
      throw std::string("a pattern needs a within(...): what it has begun is kept until then");
    shape_.after_match = AfterMatch::skip_past_last;
    auto plan = MatchPlan::of(shape_);
    if (!plan) throw std::string(plan.error().message());
    return {std::move(*plan), std::move(conditions_)};
  }

 private:
  [[noreturn]] static void refuse(std::string_view step) {
    throw fmt::format("\"{}\" is no pattern's: {}", without_blanks(step), kUsage);
  }

  bool word(const OuterCall& call, std::string_view step) {
    if (shape_.stages.empty()) return add(step, StageKind::single, Contiguity::followed_by);
    StageShape& last = shape_.stages.back();
    if (call.name == "then") return add(call.inside, StageKind::single, Contiguity::followed_by);
    if (call.name == "then_next") return add(call.inside, StageKind::single, Contiguity::next);
    if (call.name == "then_not")
      return add(call.inside, StageKind::not_followed_by, Contiguity::followed_by);
    if (call.name == "consecutive" && call.inside.empty()) {
      last.inner = Contiguity::next;
      return true;
    }
    if (call.name == "times") {
      const auto count = count_of(call.inside);
      if (!count || *count < 1 || *count > 1000) return false;
      last.times_min = last.times_max = static_cast<std::uint32_t>(*count);
      return true;
    }
    const auto span = parse_duration(call.inside);
    if (!span || *span <= Duration(0)) return false;
    if (call.name == "lasting") last.lasting = *span;
    if (call.name == "within") shape_.within = *span;
    return call.name == "lasting" || call.name == "within";
  }

  /// A stage of a condition that asks nothing but the value.
  bool add(std::string_view text, StageKind kind, Contiguity contiguity) {
    const auto parsed = parse_rule(text);
    if (const auto* const why = std::get_if<std::string>(&parsed)) throw *why;
    const Rule& rule = std::get<Rule>(parsed);
    const bool threshold = rule.kind() == Rule::Kind::above || rule.kind() == Rule::Kind::below;
    if (!threshold || rule.has_until() || rule.lasting_us() > 0) return false;
    StageShape stage;
    stage.name = rule.to_string();
    const auto namesakes = std::ranges::count(conditions_, stage.name, &Rule::to_string);
    if (namesakes > 0) stage.name += fmt::format("#{}", namesakes + 1);
    stage.kind = kind;
    stage.contiguity = contiguity;
    stage.condition = static_cast<std::uint32_t>(conditions_.size());
    shape_.stages.push_back(std::move(stage));
    conditions_.push_back(rule);
    return true;
  }

  PatternShape shape_;
  std::vector<Rule> conditions_;
};

}  // namespace

bool is_pattern_rule(std::string_view text) {
  return std::ranges::any_of(cut_steps(text), [](std::string_view step) {
    const auto call = outer_call(step);
    return call && std::ranges::find(kWords, call->name) != kWords.end();
  });
}

std::variant<PatternRule, std::string> parse_pattern_rule(std::string_view text) {
  try {
    return PatternWords().read(text);
  } catch (std::string& why) {
    return std::move(why);
  }
}

Time PatternRuleWatch::go_on(std::string& kept, Time time, std::optional<double> value,
                             const Matched& matched) {
  KeyMatches key(nullptr);
  found_.clear();
  if (!kept.empty()) {
    BytesCursor in(kept);
    const auto load = [](BytesCursor& from) {
      return std::optional(std::bit_cast<std::uint64_t>(from.number<double>()));
    };
    if (!matcher_.load(in, key, load)) matcher_.clear(key);
  }
  if (value) {
    value_ = *value;
    matcher_.take(key, time);
  } else {
    matcher_.expire(key, time);
  }
  kept.clear();
  if (!key.empty()) {
    matcher_.store(kept, key, [](std::string& out, std::uint64_t slot) {
      put_number(out, std::bit_cast<double>(slot));
    });
  }
  const Time due = key.empty() ? kTimeMax : key.deadline;
  matcher_.clear(key);
  for (const Found& one : found_) matched(one.value, one.since, one.time);
  return due;
}

bool PatternRuleWatch::holds(std::uint32_t condition, std::uint32_t) {
  return meets_threshold(rule_.conditions[condition], false, value_);
}
std::uint64_t PatternRuleWatch::keep() { return std::bit_cast<std::uint64_t>(value_); }

void PatternRuleWatch::matched(std::uint32_t node, Time now) {
  const MatchBuffer& buffer = matcher_.buffer();
  const auto last = std::bit_cast<double>(buffer.record_of(node).slot);
  while (buffer.node(node).before != MatchBuffer::kNone) node = buffer.node(node).before;
  found_.push_back({last, buffer.record_of(node).time, now});
}

}  // namespace millrace::detail
