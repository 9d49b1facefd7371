// Validation and text of window declarations.
#include "window/window.hpp"

#include <fmt/format.h>

namespace millrace {

Status Windows::validate() const {
  if (is_global()) return {};
  if (size_ <= 0 || slide_ <= 0) {
    return {Code::window_invalid,
            fmt::format("window {}: size and slide must be longer than 0: give positive durations",
                        to_string())};
  }
  if (slide_ > size_) {
    return {
        Code::window_invalid,
        fmt::format(
            "window {}: the slide is longer than the size, records between windows would be lost: "
            "make slide <= size",
            to_string())};
  }
  return {};
}

std::string Windows::to_string() const {
  switch (kind_) {
    case Kind::global:
      return "global()";
    case Kind::tumbling:
      return "tumbling(" + detail::format_duration(Duration(size_)) + ")";
    case Kind::sliding:
      return "sliding(" + detail::format_duration(Duration(size_)) + ", " +
             detail::format_duration(Duration(slide_)) + ")";
  }
  return "?";
}

}  // namespace millrace
