// Aggregates of rows by one integer or time.
#include "catalog/row_aggregate_by.hpp"

namespace millrace::detail {

MadeStreams aggregate_by_integer(const Stream<RowRef>& rows, const RowAggregate& aggregate) {
  return aggregate_by(rows, aggregate, IntegerField{aggregate.key.front()});
}

}  // namespace millrace::detail
