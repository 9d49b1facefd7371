// RuleText: a rule that comes as a record; RuleReader: what is wrong with one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.hpp"

namespace millrace {

/// A rule as data, or that there is none of that name any more. It holds for records with times
/// from its own event time on, until another one of its id comes.
struct RuleText {
  std::string id;  ///< not empty
  /// "above(90).until_below(80).lasting(30s)", or a pattern of values: "above(90).times(3)
  /// .within(10min).then_not(below(60)).lasting(5min)"; empty: the rule is removed.
  std::string rule;
  std::string where;  ///< of which records; empty: of all
};

/// Why there is an event of a rule.
enum class RuleCause : std::uint8_t {
  value,    ///< the numbers of the key, or that there were none
  changed,  ///< ended by another rule of the same id
  removed,  ///< ended because the rule is no more
};

/// "", "rule changed" or "rule removed".
std::string_view to_string(RuleCause cause);

namespace detail {

/// Whether a rule is for a record.
template <class T>
using RuleFilter = std::function<bool(const T&)>;
/// Reads what RuleText::where says: the filter, or why there is none. Empty ones are not asked for.
template <class T>
using RuleWhere = std::function<std::variant<RuleFilter<T>, std::string>(const std::string&)>;

/// Throws std::invalid_argument with a sentence that names the rule: it has no id, or its text
/// cannot be read.
void check_rule(const RuleText& rule);
/// The same for a `where` that was refused.
[[noreturn]] void refuse_where(const RuleText& rule, const std::string& why);

/// Hands on rules that can be read; others are dead letters.
template <class T>
struct ReadRules {
  RuleWhere<T> where;
  RuleText operator()(const RuleText& rule) const {
    check_rule(rule);
    if (rule.rule.empty() || rule.where.empty()) return rule;
    const auto filter = where(rule.where);
    if (const auto* const why = std::get_if<std::string>(&filter)) refuse_where(rule, *why);
    return rule;
  }
};

}  // namespace detail
}  // namespace millrace
