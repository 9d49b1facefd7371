// Aggregates of rows by one field that is a text.
#include "catalog/row_aggregate_by.hpp"

namespace millrace::detail {

MadeStreams aggregate_by_text(const Stream<RowRef>& rows, const RowAggregate& aggregate) {
  return aggregate_by(rows, aggregate, TextField{aggregate.key.front()});
}

}  // namespace millrace::detail
