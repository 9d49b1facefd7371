// Validation and text of windows by records.
#include "window/record_windows.hpp"

#include <fmt/format.h>

namespace millrace {

Status CountWindows::validate() const {
  if (size > 0 && slide > 0 && slide <= size) return {};
  return {
      Code::window_invalid,
      fmt::format("window {}: it needs 0 < slide <= size: give a size of at least 1 record, and "
                  "a slide up to it",
                  to_string())};
}
std::string CountWindows::to_string() const {
  if (slide == size) return fmt::format("count_window({})", size);
  return fmt::format("count_window({}, {})", size, slide);
}

Status LastRecords::validate() const {
  if (count > 0) return {};
  return {Code::window_invalid,
          fmt::format("{}: each record is one of the last: ask for at least 1", to_string())};
}
std::string LastRecords::to_string() const { return fmt::format("last({})", count); }

Status LastSpan::validate() const {
  if (span > Duration(0)) return {};
  return {Code::window_invalid,
          fmt::format("{}: the span must be longer than 0: give a positive duration", to_string())};
}
std::string LastSpan::to_string() const {
  return fmt::format("last({})", detail::format_duration(span));
}

}  // namespace millrace
