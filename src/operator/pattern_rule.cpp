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

constexpr const char* kPatternUsage =
    "a pattern is a condition, such as above(90), rises_by(5, 1min) or deviates_by(4), then "
    ".times(3), .consecutive(), .then(above(95)), .then_next(below(10)), .then_not(below(60)), "
    ".lasting(5min) behind a then_not at the end, and .within(10min)";
constexpr std::array<std::string_view, 6> kWords = {"times",     "consecutive", "then",
                                                    "then_next", "then_not",    "within"};

bool is_pattern_word(std::string_view step) {
  const auto call = outer_call(step);
  return call && std::ranges::find(kWords, call->name) != kWords.end();
}

/// The condition; throws the sentence that says why it is none.
Rule condition_in(std::string_view text) {
  auto parsed = parse_rule(text);
  if (auto* const why = std::get_if<std::string>(&parsed)) throw std::move(*why);
  return std::get<Rule>(std::move(parsed));
}

/// A word behind the first condition; nullopt: it is none.
std::optional<ValuePattern> gone_on(const ValuePattern& pattern, std::string_view step) {
  const auto call = outer_call(step);
  if (!call) return std::nullopt;
  if (call->name == "then") return pattern.then(condition_in(call->inside));
  if (call->name == "then_next") return pattern.then_next(condition_in(call->inside));
  if (call->name == "then_not") return pattern.then_not(condition_in(call->inside));
  if (call->name == "consecutive" && call->inside.empty()) return pattern.consecutive();
  if (call->name == "times") {
    const auto count = count_of(call->inside);
    if (!count || *count < 1 || *count > 1000) return std::nullopt;
    return pattern.times(static_cast<std::uint32_t>(*count));
  }
  const auto span = parse_duration(call->inside);
  if (!span || *span <= Duration(0)) return std::nullopt;
  if (call->name == "lasting") return pattern.lasting(*span);
  if (call->name == "within") return pattern.within(*span);
  return std::nullopt;
}

/// Words of a rule up to the first one of patterns are the first condition.
ValuePattern read_pattern(std::string_view text) {
  const std::vector<std::string_view> steps = cut_steps(text);
  auto step = std::ranges::find_if(steps, is_pattern_word);
  if (step == steps.begin()) return ValuePattern(condition_in(steps.front()));  // which is none
  const char* const end = (step - 1)->data() + (step - 1)->size();
  ValuePattern pattern(condition_in({text.data(), end}));
  for (; step != steps.end(); ++step) {
    auto next = gone_on(pattern, *step);
    if (!next)
      throw fmt::format("\"{}\" is no pattern's: {}", without_blanks(*step), kPatternUsage);
    pattern = std::move(*next);
  }
  return pattern;
}

}  // namespace

std::int64_t PatternRule::looks_back_us() const {
  std::int64_t longest = 0;
  for (const Rule& condition : conditions)
    if (condition.looks_back()) longest = std::max(longest, condition.span_us());
  return longest;
}

bool is_pattern_rule(std::string_view text) {
  return std::ranges::any_of(cut_steps(text), is_pattern_word);
}

std::variant<ValuePattern, std::string> parse_value_pattern(std::string_view text) {
  try {
    return read_pattern(text);
  } catch (std::string& why) {
    return std::move(why);
  }
}

std::variant<PatternRule, std::string> parse_pattern_rule(std::string_view text) {
  auto parsed = parse_value_pattern(text);
  if (auto* const why = std::get_if<std::string>(&parsed)) return std::move(*why);
  const auto& pattern = std::get<ValuePattern>(parsed);
  auto plan = pattern.plan();
  if (!plan) return std::string(plan.error().message());
  return PatternRule{std::move(*plan), pattern.conditions()};
}

PatternRuleWatch::GoneOn PatternRuleWatch::go_on(std::string& kept, Time time,
                                                 std::optional<PatternValue> value,
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
  const MatchCounts before = MatchCounts::of(key);
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
  const GoneOn gone_on{key.empty() ? kTimeMax : key.deadline, MatchCounts::of(key) - before};
  matcher_.clear(key);
  for (const Found& one : found_) matched(one.value, one.since, one.time);
  return gone_on;
}

MatchCounts PatternRuleWatch::count(std::string_view kept) {
  return kept.empty() ? MatchCounts() : Matcher::count(BytesCursor(kept), sizeof(double));
}

bool PatternRuleWatch::holds(std::uint32_t condition, std::uint32_t) {
  const Rule& rule = rule_.conditions[condition];
  if (rule.remembers()) return (value_.met >> condition & 1) != 0;
  return meets_threshold(rule, false, value_.value);
}
std::uint64_t PatternRuleWatch::keep() { return std::bit_cast<std::uint64_t>(value_.value); }

void PatternRuleWatch::matched(std::uint32_t node, Time now) {
  const MatchBuffer& buffer = matcher_.buffer();
  const auto last = std::bit_cast<double>(buffer.record_of(node).slot);
  while (buffer.node(node).before != MatchBuffer::kNone) node = buffer.node(node).before;
  found_.push_back({last, buffer.record_of(node).time, now});
}

}  // namespace millrace::detail
