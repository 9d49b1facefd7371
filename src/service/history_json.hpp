// The JSON form of a history: equally long lists, oldest sample first.
#pragma once

#include <string>
#include <string_view>

#include "metrics/history.hpp"

namespace millrace::detail {

/// {"interval_ms", "samples_max", "at", "uptime_ms": [...], "records_in_per_second": [...], ...}; a
/// figure that there was not is null. With a component's name, "name" comes first.
std::string to_json(const HistoryReport& history, std::string_view component = {});

}  // namespace millrace::detail
