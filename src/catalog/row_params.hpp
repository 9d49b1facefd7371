// The parameters that say how a spout's rows are read.
#pragma once

#include "base/time.hpp"
#include "catalog/settings.hpp"

namespace millrace::detail {

/// `fields`: each field and its type.
ParamInfo fields_param();
/// `time_unit`: what a number for a timestamp counts.
ParamInfo unit_param();
TimeUnit unit_of(const Settings& settings);

}  // namespace millrace::detail
