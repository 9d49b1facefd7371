// Validation and text of the rules by which windows emit more than once.
#include "window/refire_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace millrace {
namespace {

using Kind = EarlyTrigger::Kind;

Status invalid(const std::string& windows, const char* what) {
  return {Code::window_invalid, fmt::format("window {}: {}", windows, what)};
}

}  // namespace

std::string EarlyTrigger::to_string() const {
  if (kind_ == Kind::records) return fmt::format("every({})", amount_);
  return fmt::format("every({}){}", detail::format_duration(Duration(amount_)),
                     kind_ == Kind::clock ? ".by_clock()" : "");
}

Status RefireRules::validate(const std::string& text) const {
  if (lateness_ < 0)
    return invalid(text, "allowed_lateness is negative: give a duration of 0 or more");
  for (const Kind kind : {Kind::event_time, Kind::clock, Kind::records}) {
    if (early(kind) < 0) return invalid(text, "every(...) needs more than 0");
  }
  if (early(Kind::event_time) == 0 || !by_arrival()) return {};
  return invalid(text,
                 "early rows by event time hold what came up to a time, those by clock or records "
                 "what has arrived: give one of the two");
}

Status RefireRules::validate_final(const std::string& text) const {
  if (!has_early() && mode_ == RefireMode::accumulating) return {};
  return invalid(text, "one row a window has no early or further ones: leave these out");
}

std::string RefireRules::to_string() const {
  std::string text;
  if (lateness_ != 0)
    text += fmt::format(".allowed_lateness({})", detail::format_duration(Duration(lateness_)));
  for (const Kind kind : {Kind::event_time, Kind::clock, Kind::records}) {
    const std::int64_t amount = early(kind);
    if (amount != 0)
      text += fmt::format(".early({})",
                          EarlyTrigger(kind, std::max<std::int64_t>(amount, 0)).to_string());
  }
  if (mode_ == RefireMode::discarding) text += ".discarding()";
  if (mode_ == RefireMode::retracting) text += ".retracting()";
  return text;
}

}  // namespace millrace
