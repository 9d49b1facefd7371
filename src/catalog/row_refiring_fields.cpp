// Early and late rows by any other fields, or by none.
#include "catalog/row_refiring_by.hpp"

namespace millrace::detail {

MadeStreams refiring_by_fields(const Stream<RowRef>& rows, const RowAggregate& aggregate) {
  return refiring_by(rows, aggregate, KeyFields(aggregate.key));
}

}  // namespace millrace::detail
