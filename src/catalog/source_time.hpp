// The parameters by which a spout's rows get their times.
#pragma once

#include <vector>

#include "catalog/entry.hpp"

namespace millrace::detail {

/// `event_time` and `ingestion_time`.
std::vector<ParamInfo> time_params();

/// The stream with the times that they say; mistakes where they do not fit.
Stream<RowRef> with_time(const Making& making, const Stream<RowRef>& rows,
                         const RowSchemaPtr& schema);

/// The component of a source of rows, with the times that its parameters say.
MadeStreams timed_rows(const Making& making, const Stream<RowRef>& source,
                       const RowSchemaPtr& schema);

}  // namespace millrace::detail
