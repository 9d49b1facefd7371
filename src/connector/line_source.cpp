// LineSource: each poll is one read of its input.
#include "connector/line_source.hpp"

#include <string_view>

namespace millrace::detail {

Status LineSource::open(const EndContext& context) {
  batch_records_max_ = context.batch_records_max;
  return feed_->open(context);
}

Result<Poll> LineSource::poll(BatchBase& batch) {
  auto& lines = static_cast<Batch<std::string_view>&>(batch);
  return feed_->read(lines.values, batch_records_max_, batch);
}

}  // namespace millrace::detail
