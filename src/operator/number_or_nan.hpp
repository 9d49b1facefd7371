// A number of a record that may be absent, as a double.
#pragma once

#include <limits>

namespace millrace::detail {

/// NaN for an optional that is absent.
template <class V>
double number_or_nan(const V& value) {
  if constexpr (requires { value.has_value(); }) {
    return value ? static_cast<double>(*value) : std::numeric_limits<double>::quiet_NaN();
  } else {
    return static_cast<double>(value);
  }
}

}  // namespace millrace::detail
