// Names of the gauges that tell what operators keep, for who sets them and who reads them.
#pragma once

#include <string_view>

namespace millrace::detail {

// Of a pattern.
inline constexpr std::string_view kPartialMatches = "partial_matches";
inline constexpr std::string_view kPartialMatchKeys = "keys_with_partial_matches";
inline constexpr std::string_view kWaitingMatches = "waiting_matches";
// Of a join, by side.
inline constexpr std::string_view kLeftRecords = "left_records";
inline constexpr std::string_view kRightRecords = "right_records";

}  // namespace millrace::detail
