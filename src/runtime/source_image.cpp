// What a source's task keeps in the image of an epoch besides the positions of the source itself.
#include <algorithm>

#include "base/byte_codec.hpp"
#include "runtime/source_stage.hpp"

namespace millrace::detail {
namespace {

constexpr std::string_view kArrivals = "arrivals";  // of a partition: records that have a place
constexpr std::string_view kMark = "mark";    // of a partition: a watermark that was not told yet
constexpr std::string_view kEnded = "ended";  // of a partition: its end was not told yet
constexpr std::string_view kRead = "read";    // of a task: records within the limit
constexpr std::string_view kExhausted = "exhausted";  // of a task: nothing more is to be read

}  // namespace

Status SourceStage::save(std::uint64_t, StageImage& image, bool) {
  image.replayable = source_->replayable();
  StateWriter writer(context_.task, context_.tasks);
  for (std::uint32_t at = 0; at < numbered_.size(); ++at) {
    put_varint(writer.partition_part(kArrivals, at), numbered_[at]);
  }
  put_varint(writer.task_part(kRead), read_before_ + counters_.processed.value());
  if (image.replayable) {
    charged([&] { source_->save_positions(image.positions); });
    if (mark_) put_number(writer.partition_part(kMark, mark_->first), mark_->second);
    for (const std::uint32_t partition : ended_partitions_) {
      (void)writer.partition_part(kEnded, partition);
    }
    if (exhausted_) (void)writer.task_part(kExhausted);
  }
  image.parts = writer.take();
  return {};
}

Status SourceStage::restore(const StoredStage* stored) {
  const Status status = stored ? restore_from(*stored) : Status();
  tell_partitions();
  return status;
}

/// What is of a task goes to that of the same number; where there are fewer tasks now, they share
/// the rest.
Status SourceStage::restore_from(const StoredStage& stored) {
  StateReader reader(stored.parts, context_.task, context_.tasks);
  const auto numbers = [&reader](std::string_view name, auto&& visit) {
    reader.each(name, [&](const StatePart& part) {
      BytesCursor cursor(part.bytes);
      visit(part, cursor);
      if (!cursor.ok()) reader.refuse(part, "it is cut");
    });
  };
  numbers(kArrivals, [&](const StatePart& part, BytesCursor& cursor) {
    const std::uint32_t local = reader.local(part);
    if (numbered_.size() <= local) numbered_.resize(local + 1);
    numbered_[local] = cursor.varint();
  });
  numbers(kRead, [&](const StatePart& part, BytesCursor& cursor) {
    if (part.number % context_.tasks == context_.task) read_before_ += cursor.varint();
  });
  if (stored.replayable && source_->replayable()) {
    if (Status status = source_->resume(stored.positions); !status.ok()) return status;
    numbers(kMark, [&](const StatePart& part, BytesCursor& cursor) {
      mark_ = {reader.local(part), cursor.number<Time>()};
    });
    reader.each(kEnded,
                [&](const StatePart& part) { ended_partitions_.push_back(reader.local(part)); });
    if (stored.tasks == context_.tasks) {
      reader.each(kExhausted,
                  [&](const StatePart& part) { exhausted_ |= part.number == context_.task; });
    }
  }
  exhausted_ |= at_limit();
  return reader.status();
}

}  // namespace millrace::detail
