// Words for messages about a value: what is wanted, its range, what was found.
#pragma once

#include <string>
#include <string_view>

#include "record/value_plan.hpp"

namespace millrace::detail {

/// "an integer", "true or false", ...
std::string_view wanted_words(ValueKind kind);
/// The same with the places of a decimal, or the names of an enum.
std::string wanted_words(const ValuePlan& plan);
/// " (0 to 255)" for an integer, else nothing.
std::string range_words(ValueKind kind);
/// The text in quotes; its first 40 bytes when it is long.
std::string describe_text(std::string_view text);
/// Without the spaces and tabs around it.
std::string_view trimmed(std::string_view text);

}  // namespace millrace::detail
