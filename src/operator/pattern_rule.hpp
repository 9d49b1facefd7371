// PatternRule: a pattern of the values of a key as a rule that is data.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "operator/rule.hpp"
#include "operator/value_pattern.hpp"
#include "pattern/matcher.hpp"

namespace millrace::detail {

/// A pattern that is ready to be matched.
struct PatternRule {
  MatchPlan plan;
  std::vector<Rule> conditions;

  /// Over the values of a span: the longest one; 0: none does.
  std::int64_t looks_back_us() const;
  /// Which values meet its conditions depends on others.
  bool remembers() const { return std::ranges::any_of(conditions, &Rule::remembers); }
};

/// A value for which a pattern is asked.
struct PatternValue {
  double value = 0;
  std::uint64_t met = 0;  ///< conditions that remember, by bits: whether it meets them
};

/// Whether a rule's text is a pattern: it has a word of patterns.
bool is_pattern_rule(std::string_view text);
/// The pattern, or why there is none. Any text may come.
std::variant<ValuePattern, std::string> parse_value_pattern(std::string_view text);
/// The same of a pattern that can be matched.
std::variant<PatternRule, std::string> parse_pattern_rule(std::string_view text);

/// Takes the values of any key, one after the other, in the order of event time. Between them a key
/// is bytes, so that it may be kept where other state is. One thread.
///
/// Cost: O(bytes) a value, and what Matcher says; a key that has nothing begun costs a condition.
class PatternRuleWatch final : private MatchHost {
 public:
  /// A match: its last value, the times of its first one and of when it was decided.
  using Matched = std::function<void(double value, Time since, Time time)>;

  struct GoneOn {
    Time due;           ///< when next to look; kTimeMax: never
    MatchCounts added;  ///< to what the key had kept
  };

  explicit PatternRuleWatch(PatternRule rule)
      : rule_(std::move(rule)), matcher_(rule_.plan, *this, nullptr) {}

  /// Goes on at `time` with what a key has kept (empty: nothing), after that with a value, if there
  /// is one; tells what was matched at last.
  GoneOn go_on(std::string& kept, Time time, std::optional<PatternValue> value,
               const Matched& matched);
  /// Of what a key has kept.
  static MatchCounts count(std::string_view kept);
  const PatternRule& rule() const { return rule_; }

 private:
  bool holds(std::uint32_t condition, std::uint32_t node) override;
  std::uint64_t keep() override;
  void gone(std::uint64_t) override {}
  void matched(std::uint32_t node, Time now) override;
  void missed(std::uint32_t, Time) override {}
  void timed_out(std::uint32_t, Time) override {}

  PatternRule rule_;
  Matcher matcher_;
  PatternValue value_;  ///< the one at hand
  struct Found {
    double value;
    Time since;
    Time time;
  };
  std::vector<Found> found_;  ///< of the call at hand
};

}  // namespace millrace::detail
