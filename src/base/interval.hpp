// Intervals of time as text: the durations that records hold.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace millrace::detail {

/// Reads ISO 8601 ("PT1H30M", "P2DT0.5S", no years and months, whose length is not fixed), or units
/// as in "1h30min", "250ms", "-1.5s". nullopt when it is neither, or not in range.
std::optional<Duration> parse_interval(std::string_view text);
/// Reads a number of seconds, as "90" or "-1.5".
std::optional<Duration> parse_seconds(std::string_view text);
/// The shortest of "6h", "90min", "5s", "250ms", "10us", with a '-' before it when negative.
std::string format_interval(Duration interval);

}  // namespace millrace::detail
