// Rules as they are written in parameters: "above(90).until_below(80).lasting(30s)".
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "operator/rule.hpp"

namespace millrace::detail {

/// The rule, or why there is none. One that cannot be is refused, too. Any text may come.
std::variant<Rule, std::string> parse_rule(std::string_view text);

}  // namespace millrace::detail
