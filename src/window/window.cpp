// Validation and text of window declarations.
#include "window/window.hpp"

#include <fmt/format.h>

namespace millrace {

Status Windows::validate() const {
  if (is_global()) {
    if (offset_ == 0) return {};
    return {Code::window_invalid, "window global(): it has no bounds to move: remove the offset"};
  }
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
  if (kind_ == Kind::cumulating && size_ % slide_ != 0) {
    return {Code::window_invalid,
            fmt::format("window {}: the size is not a multiple of the step: the last window would "
                        "end before its time: make it one",
                        to_string())};
  }
  return {};
}

std::string Windows::to_string() const {
  const std::string size = detail::format_duration(Duration(size_));
  const std::string slide = detail::format_duration(Duration(slide_));
  std::string text;
  switch (kind_) {
    case Kind::global:
      text = "global()";
      break;
    case Kind::tumbling:
      text = fmt::format("tumbling({})", size);
      break;
    case Kind::sliding:
      text = fmt::format("sliding({}, {})", size, slide);
      break;
    case Kind::cumulating:
      text = fmt::format("cumulating({}, {})", size, slide);
      break;
  }
  if (offset_ != 0) text += fmt::format(".offset({})", detail::format_duration(Duration(offset_)));
  return text;
}

}  // namespace millrace
