// AsOfBounds: what can be, and its text.
#include "window/as_of_bounds.hpp"

#include <fmt/format.h>

#include "base/time_unit.hpp"

namespace millrace {

Status AsOfBounds::validate() const {
  for (const Duration span : {within.value_or(Duration(0)), lateness}) {
    if (span.count() < 0)
      return {Code::parameter_invalid, "an as-of join has a negative span: give 0 or more"};
    if (span.count() > detail::kSpanMaxUs)
      return {Code::parameter_invalid, to_string() + ": a span is at most 100,000 years"};
  }
  return {};
}

std::string AsOfBounds::to_string() const {
  std::string out = "as of";
  if (within) {
    out = fmt::format("{}({})", nearest ? "nearest" : "as of, within",
                      detail::format_duration(*within));
  }
  if (lateness.count() != 0)
    out += fmt::format(".allowed_lateness({})", detail::format_duration(lateness));
  return out;
}

}  // namespace millrace
