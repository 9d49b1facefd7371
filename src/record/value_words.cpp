// What messages say of kinds and ranges.
#include "record/value_words.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/text.hpp"

namespace millrace::detail {

std::string_view wanted_words(ValueKind kind) {
  switch (kind) {
    case ValueKind::boolean:
      return "true or false";
    case ValueKind::f32:
    case ValueKind::f64:
      return "a number";
    case ValueKind::string:
    case ValueKind::view:
      return "text";
    case ValueKind::bytes:
      return "base64 text";
    case ValueKind::timestamp:
      return "a time (ISO 8601 text or a number since 1970)";
    case ValueKind::interval:
      return "an interval (\"PT1H30M\", \"90min\" or seconds)";
    case ValueKind::letter:
      return "a text of one ASCII letter";
    case ValueKind::decimal:
      return "a decimal number";
    case ValueKind::enumeration:
      return "the name of a value";
    case ValueKind::object:
    case ValueKind::map:
      return "an object";
    case ValueKind::list:
      return "an array";
    default:
      return "an integer";
  }
}

std::string wanted_words(const ValuePlan& plan) {
  constexpr std::size_t kNamesMax = 12;
  if (plan.kind == ValueKind::decimal) {
    return "a decimal number of at most " + std::to_string(plan.scale) + " places";
  }
  if (plan.kind != ValueKind::enumeration) return std::string(wanted_words(plan.kind));
  std::string words = "one of ";
  for (std::size_t at = 0; at < std::min(plan.names->names.size(), kNamesMax); ++at) {
    if (at > 0) words += ", ";
    words += plan.names->names[at];
  }
  return plan.names->names.size() > kNamesMax ? words + ", ..." : words;
}

std::string range_words(ValueKind kind) {
  if (kind == ValueKind::u64) {
    return " (0 to " + std::to_string(std::numeric_limits<std::uint64_t>::max()) + ")";
  }
  if (kind > ValueKind::u64) return "";
  const IntegerLimits limits = limits_of(kind);
  return " (" + std::to_string(limits.min) + " to " + std::to_string(limits.max) + ")";
}

std::string describe_text(std::string_view text) {
  constexpr std::size_t kShownBytesMax = 40;
  std::string_view shown = text.substr(0, kShownBytesMax);
  while (shown.size() < text.size() && !shown.empty() && !valid_utf8(shown)) {
    shown.remove_suffix(1);
  }
  return '"' + std::string(shown) + (shown.size() < text.size() ? "...\"" : "\"");
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace millrace::detail
