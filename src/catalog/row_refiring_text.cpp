// Early and late rows by one field that is a text.
#include "catalog/row_refiring_by.hpp"

namespace millrace::detail {

MadeStreams refiring_by_text(const Stream<RowRef>& rows, const RowAggregate& aggregate) {
  return refiring_by(rows, aggregate, TextField{aggregate.key.front()});
}

}  // namespace millrace::detail
