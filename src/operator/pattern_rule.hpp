// PatternRule: a pattern of the values of a key as a rule that is data.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "operator/rule.hpp"
#include "pattern/matcher.hpp"

namespace millrace::detail {

/// above(90).times(3).within(10min).then_not(below(60)).lasting(5min)
struct PatternRule {
  MatchPlan plan;
  std::vector<Rule> conditions;  ///< of which above() and below() alone ask nothing but the value
};

/// Whether a rule's text is a pattern: it has a word of patterns.
bool is_pattern_rule(std::string_view text);
/// The pattern, or why there is none. Any text may come.
std::variant<PatternRule, std::string> parse_pattern_rule(std::string_view text);

/// Takes the values of any key, one after the other, in the order of event time. Between them a key
/// is bytes, so that it may be kept where other state is. One thread.
///
/// Cost: O(bytes) a value, and what Matcher says; a key that has nothing begun costs a condition.
class PatternRuleWatch final : private MatchHost {
 public:
  /// A match: its last value, the times of its first one and of when it was decided.
  using Matched = std::function<void(double value, Time since, Time time)>;

  explicit PatternRuleWatch(PatternRule rule)
      : rule_(std::move(rule)), matcher_(rule_.plan, *this, nullptr) {}

  /// Goes on at `time` with what a key has kept (empty: nothing), after that with a value, if there
  /// is one; tells what was matched at last. Returns when next to look; kTimeMax: never.
  Time go_on(std::string& kept, Time time, std::optional<double> value, const Matched& matched);

 private:
  bool holds(std::uint32_t condition, std::uint32_t node) override;
  std::uint64_t keep() override;
  void gone(std::uint64_t) override {}
  void matched(std::uint32_t node, Time now) override;
  void missed(std::uint32_t, Time) override {}
  void timed_out(std::uint32_t, Time) override {}

  PatternRule rule_;
  Matcher matcher_;
  double value_ = 0;  ///< the one at hand
  struct Found {
    double value;
    Time since;
    Time time;
  };
  std::vector<Found> found_;  ///< of the call at hand
};

}  // namespace millrace::detail
