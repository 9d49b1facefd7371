// What messages say of kinds and ranges.
#include "record/value_words.hpp"

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
    case ValueKind::timestamp:
      return "a time (ISO 8601 text or milliseconds since 1970)";
    case ValueKind::object:
      return "an object";
    default:
      return "an integer";
  }
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
