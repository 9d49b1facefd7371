// Spans of time in microseconds, and their names.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::detail {

inline constexpr std::int64_t kSecondUs = 1'000'000;
inline constexpr std::int64_t kDayUs = 86'400 * kSecondUs;
/// No calendar is longer: 100,000 years, so that sums of spans do not overflow.
inline constexpr std::int64_t kSpanMaxUs = 100'000 * 366 * kDayUs;

struct NamedSpan {
  std::string_view name;
  std::int64_t micros;
};

}  // namespace millrace::detail
