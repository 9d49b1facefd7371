// The Prometheus text form of a Report, for /metrics.
#pragma once

#include <string>

#include "metrics/report.hpp"

namespace millrace::detail {

/// Text exposition format 0.0.4: totals, a line per component and outcome, and a line per edge.
/// Seconds and bytes are base units, names end as Prometheus asks; a value that does not exist yet
/// has no line.
std::string to_prometheus(const Report& report);

}  // namespace millrace::detail
