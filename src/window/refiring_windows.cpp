// Validation of windows that emit more than once.
#include "window/refiring_windows.hpp"

#include <fmt/format.h>

namespace millrace {
Status RefiringWindows::validate() const {
  if (Status status = windows_.validate(); !status.ok()) return status;
  const std::string text = to_string();
  if (Status status = rules_.validate(text); !status.ok()) return status;
  if (windows_.is_global()) {
    if (rules_.lateness_us() > 0 || !rules_.has_early()) {
      return detail::invalid_windows(
          text,
          "it has no end to be late for: leave allowed_lateness and final_only out, or "
          "give it early(...)");
    }
    return {};
  }
  const bool cumulating = windows_.kind() == Windows::Kind::cumulating;
  const std::int64_t shortest = cumulating ? windows_.slide_us() : windows_.size_us();
  bool too_long = false;
  rules_.early().each_every([&](EarlyTrigger::Kind kind, std::int64_t amount) {
    too_long |= kind == EarlyTrigger::Kind::event_time && amount >= shortest;
  });
  if (!too_long) return {};
  return detail::invalid_windows(
      text, "its early rows would not be early: make the span shorter than a window");
}

Status FinalWindows::validate() const {
  if (Status status = refiring_.validate(); !status.ok()) return status;
  return refiring_.rules().validate_final(to_string());
}

}  // namespace millrace
