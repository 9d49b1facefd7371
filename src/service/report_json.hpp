// The JSON form of a Report: what the REST interface answers and the live feed pushes.
#pragma once

#include <string>

#include "metrics/report.hpp"

namespace millrace::detail {

/// The whole report as one JSON object without line breaks; members are named as in report.hpp.
///
/// Missing optionals are null. Times are ISO 8601 text in UTC; a watermark of an input that has
/// ended is "end", one that has not begun is null. Cells of rows: null, true, 3, 0.1 (the shortest
/// text that reads back as the same double), "text", "2015-09-12T00:46:58.771Z". Integers beyond
/// +-(2^53 - 1), which JavaScript cannot hold, and NaN and the infinities, which JSON lacks, are
/// written as strings.
std::string to_json(const Report& report);

/// {"tasks": [...]}: all of them, each with its number in "id".
std::string tasks_json(const Report& report);

/// {"name", "kind", "columns": [{"name", "type"}], "rows": [[cell, ...]], "records",
/// "window_start", "window_end", "x", "y", "series", "measure", "unit", "lines": [{"name",
/// "points": [[x, y], ...]}], "why_empty"}
std::string to_json(const ViewReport& view);

}  // namespace millrace::detail
