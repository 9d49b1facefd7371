// Reading settings from their texts.
#include "operator/config.hpp"

#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

namespace millrace::detail {
namespace {

template <class N>
bool parse_number(std::string_view text, N& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool parse_setting(std::string_view text, bool& value) {
  value = text == "true";
  return value || text == "false";
}
bool parse_setting(std::string_view text, std::int64_t& value) { return parse_number(text, value); }
bool parse_setting(std::string_view text, std::uint64_t& value) {
  return parse_number(text, value);
}
bool parse_setting(std::string_view text, double& value) { return parse_number(text, value); }
bool parse_setting(std::string_view text, Duration& value) {
  const auto parsed = parse_duration(text);
  if (parsed) value = *parsed;
  return parsed.has_value();
}

void refuse_setting(std::string_view name, std::string_view text, const char* wanted) {
  throw std::invalid_argument(
      fmt::format("the setting \"{}\" is \"{}\": give {}", name, text, wanted));
}
void miss_setting(std::string_view name) {
  throw std::invalid_argument(fmt::format(
      "the setting \"{0}\" is missing: give {{.config = {{{{\"{0}\", ...}}}}}} or a default",
      name));
}

}  // namespace millrace::detail
