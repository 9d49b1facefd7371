// Validation and text of windows that emit more than once.
#include "window/refiring_windows.hpp"

#include <fmt/format.h>

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

Status RefiringWindows::validate() const {
  if (Status status = windows_.validate(); !status.ok()) return status;
  const std::string text = to_string();
  if (windows_.is_global()) {
    return invalid(text,
                   "it has no end to be early or late for: use count_window, or the running "
                   "aggregate without a window");
  }
  if (lateness_ < 0)
    return invalid(text, "allowed_lateness is negative: give a duration of 0 or more");
  for (const Kind kind : {Kind::event_time, Kind::clock, Kind::records}) {
    if (early(kind) < 0) return invalid(text, "every(...) needs more than 0");
  }
  if (early(Kind::event_time) == 0) return {};
  if (by_arrival()) {
    return invalid(text,
                   "early rows by event time hold what came up to a time, those by clock or "
                   "records what has arrived: give one of the two");
  }
  const bool cumulating = windows_.kind() == Windows::Kind::cumulating;
  const std::int64_t shortest = cumulating ? windows_.slide_us() : windows_.size_us();
  if (early(Kind::event_time) >= shortest) {
    return invalid(text, "its early rows would not be early: make the span shorter than a window");
  }
  return {};
}

std::string RefiringWindows::to_string() const {
  std::string text = windows_.to_string();
  if (lateness_ != 0)
    text += fmt::format(".allowed_lateness({})", detail::format_duration(Duration(lateness_)));
  for (const Kind kind : {Kind::event_time, Kind::clock, Kind::records}) {
    const std::int64_t amount = early(kind);
    if (amount != 0)
      text += fmt::format(".early({})",
                          EarlyTrigger(kind, std::max<std::int64_t>(amount, 0)).to_string());
  }
  if (mode_ == Mode::discarding) text += ".discarding()";
  if (mode_ == Mode::retracting) text += ".retracting()";
  return text;
}

Status FinalWindows::validate() const {
  if (Status status = refiring_.validate(); !status.ok()) return status;
  if (refiring_.has_early() || refiring_.mode() != RefiringWindows::Mode::accumulating) {
    return invalid(to_string(), "one row a window has no early or further ones: leave these out");
  }
  return {};
}

}  // namespace millrace
