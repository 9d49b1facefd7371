// Validation and text of window declarations.
#include "window/window.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace millrace {

Windows Windows::of(detail::Calendar calendar) {
  Windows windows(Kind::calendar, Duration(calendar.length_us()), Duration(0));
  windows.calendar_ = detail::CalendarRef(std::move(calendar));
  return windows;
}

detail::Period Windows::slice_of(Time time) const {
  const detail::Period whole = period_of(time);
  if (slide_ == 0) return whole;
  // Unsigned: bounds may lie at the ends of time.
  const auto past = static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(whole.start);
  const auto in_slice = static_cast<std::int64_t>(past % static_cast<std::uint64_t>(slide_));
  const Time start = time - in_slice;
  return {start, std::min(saturating_add(start, slide_), whole.end)};
}

Status Windows::validate() const {
  if (kind_ == Kind::calendar) {
    const Status& problem = calendar_->problem();
    if (problem.ok()) return {};
    return {problem.code(), fmt::format("window {}: {}", to_string(), problem.message())};
  }
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
    case Kind::calendar:
      text = calendar_->to_string();
      break;
  }
  if (offset_ != 0) text += fmt::format(".offset({})", detail::format_duration(Duration(offset_)));
  return text;
}

Windows daily(std::string_view zone) {
  return Windows::of(detail::Calendar::of(detail::CalendarUnit::day, zone, 1));
}
Windows weekly(std::string_view zone, std::chrono::weekday first) {
  return Windows::of(
      detail::Calendar::of(detail::CalendarUnit::week, zone, first.c_encoding() % 7));
}
Windows monthly(std::string_view zone) {
  return Windows::of(detail::Calendar::of(detail::CalendarUnit::month, zone, 1));
}
Windows quarterly(std::string_view zone) {
  return Windows::of(detail::Calendar::of(detail::CalendarUnit::quarter, zone, 1));
}
Windows yearly(std::string_view zone) {
  return Windows::of(detail::Calendar::of(detail::CalendarUnit::year, zone, 1));
}

}  // namespace millrace
