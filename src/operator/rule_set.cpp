// What is said of rules that cannot be read.
#include "operator/rule_set.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "operator/pattern_rule.hpp"
#include "operator/rule_words.hpp"

namespace millrace {

std::string_view to_string(RuleCause cause) {
  if (cause == RuleCause::value) return "";
  return cause == RuleCause::changed ? "rule changed" : "rule removed";
}

namespace detail {

void check_rule(const RuleText& rule) {
  if (rule.id.empty()) {
    throw std::invalid_argument(
        fmt::format("the rule \"{}\" has no id: give it one, by which it can be changed and "
                    "removed",
                    rule.rule));
  }
  if (rule.rule.empty()) return;
  const auto check = [&rule](const auto& parsed) {
    if (const auto* const why = std::get_if<std::string>(&parsed))
      throw std::invalid_argument(fmt::format("rule \"{}\": {}", rule.id, *why));
  };
  if (is_pattern_rule(rule.rule)) return check(parse_pattern_rule(rule.rule));
  check(parse_rule(rule.rule));
}

void refuse_where(const RuleText& rule, const std::string& why) {
  throw std::invalid_argument(
      fmt::format("rule \"{}\", where \"{}\": {}", rule.id, rule.where, why));
}

}  // namespace detail
}  // namespace millrace
