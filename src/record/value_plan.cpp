// Names of enums back to their values.
#include "record/value_plan.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace millrace::detail {

bool EnumPlan::store(void* at, std::string_view text) const {
  auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) {
    found = std::find_if(names.begin(), names.end(),
                         [text](std::string_view name) { return same_field_name(name, text); });
  }
  std::int64_t value = 0;
  if (found != names.end()) {
    value = values[static_cast<std::size_t>(found - names.begin())];
  } else {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return false;
    if (std::find(values.begin(), values.end(), value) == values.end()) return false;
  }
  std::memcpy(at, &value, width);
  return true;
}

}  // namespace millrace::detail
