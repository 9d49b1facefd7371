// Validation and text of the rules by which windows emit more than once.
#include "window/refire_rules.hpp"

#include <fmt/format.h>

namespace millrace {
Status detail::invalid_windows(const std::string& windows, const char* what) {
  return {Code::window_invalid, fmt::format("window {}: {}", windows, what)};
}

Status RefireRules::validate(const std::string& text) const {
  if (lateness_ < 0)
    return detail::invalid_windows(text,
                                   "allowed_lateness is negative: give a duration of 0 or more");
  return early_.validate(text);
}

Status RefireRules::validate_final(const std::string& text) const {
  if (!has_early() && mode_ == RefireMode::accumulating) return {};
  return detail::invalid_windows(text,
                                 "one row a window has no early or further ones: leave these out");
}

std::string RefireRules::to_string() const {
  std::string text;
  if (lateness_ != 0)
    text += fmt::format(".allowed_lateness({})", detail::format_duration(Duration(lateness_)));
  if (has_early()) text += fmt::format(".early({})", early_.to_string());
  if (mode_ == RefireMode::discarding) text += ".discarding()";
  if (mode_ == RefireMode::retracting) text += ".retracting()";
  return text;
}

}  // namespace millrace
