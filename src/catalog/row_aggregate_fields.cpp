// Aggregates of rows by several fields, or by one that may be null.
#include "catalog/row_aggregate_by.hpp"

namespace millrace::detail {

MadeStreams aggregate_by_fields(const Stream<RowRef>& rows, const RowAggregate& aggregate) {
  return aggregate_by(rows, aggregate, KeyFields(aggregate.key));
}

}  // namespace millrace::detail
