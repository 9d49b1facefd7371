// ViewLayout: from what a user asked of a view and the columns it gets, what it will show.
#pragma once

#include <string>
#include <vector>

#include "base/status.hpp"
#include "connector/view.hpp"

namespace millrace::detail {

/// Fills what was left open: the kind (empty: by the rows), x, y, series, the number of rows, the
/// key. Errors: 2010 for a column that is not there, a y or measure that is no number, a grid
/// without x, y or measure, a map without x, y or series, an area that is none, a number of rows
/// beyond the bound; then the view is a plain table.
Status lay_out(ViewOptions& options);

}  // namespace millrace::detail
