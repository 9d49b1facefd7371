// What is wrong with options of notices, and how they are shown.
#include "operator/notify_options.hpp"

#include <fmt/format.h>

namespace millrace::detail {

Status validate(const NotifyOptions& options) {
  const Duration none(0);
  if (options.cool_down <= none) {
    return {Code::parameter_invalid,
            "notify: the cool-down is not above 0: give a span such as 5min, or 1us where only the "
            "cap is to hold back"};
  }
  if (options.group_wait < none) {
    return {Code::parameter_invalid, "notify: the group wait is negative: give 0 or more"};
  }
  if (options.cap.notices > 0 ? options.cap.per <= none : options.cap.per != none) {
    return {Code::parameter_invalid,
            "notify: a cap is a number of notices and a span above 0, such as 20 per 1h"};
  }
  return {};
}

std::string to_string(const NotifyOptions& options) {
  std::string text = "cool-down " + format_duration(options.cool_down);
  if (options.group_wait > Duration(0))
    text += ", group wait " + format_duration(options.group_wait);
  if (options.cap.notices > 0) {
    text +=
        fmt::format(", at most {} per {}", options.cap.notices, format_duration(options.cap.per));
  }
  return text;
}

}  // namespace millrace::detail
