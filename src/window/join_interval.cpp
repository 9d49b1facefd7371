// JoinInterval: what can be, and its text.
#include "window/join_interval.hpp"

#include <fmt/format.h>

#include "base/time_unit.hpp"

namespace millrace {

Status JoinInterval::validate() const {
  for (const Duration span : {before, after, lateness}) {
    if (span.count() > detail::kSpanMaxUs || span.count() < -detail::kSpanMaxUs)
      return {Code::parameter_invalid, to_string() + ": a span is at most 100,000 years"};
  }
  if (lateness.count() < 0)
    return {Code::parameter_invalid, to_string() + ": the lateness cannot be negative"};
  if (back(0) + back(1) < 0) {
    return {Code::parameter_invalid,
            to_string() + " holds no time: a right record lies in [left - before, left + after]"};
  }
  return {};
}

std::string JoinInterval::to_string() const {
  const auto text = [](Duration span) {
    return span.count() < 0 ? "-" + detail::format_duration(-span) : detail::format_duration(span);
  };
  std::string out = fmt::format("within({}, {})", text(before), text(after));
  if (exclusive_lower) out += ".exclusive_lower()";
  if (exclusive_upper) out += ".exclusive_upper()";
  if (lateness.count() != 0) out += fmt::format(".allowed_lateness({})", text(lateness));
  return out;
}

}  // namespace millrace
