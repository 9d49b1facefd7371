// From segment to segment, batch to batch, record to record.
#include "journal/log_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "journal/journal_file.hpp"

namespace millrace::detail {

Result<bool> LogReader::next(JournalRecord& out) {
  for (;;) {
    while (records_.next(out)) {
      if (out.offset < offset_) continue;  // the first batch began before
      offset_ = out.offset + 1;
      return true;
    }
    if (records_.damaged()) {
      return journal_damage(segment_path(view_.folder(), base_offset_), walk_->position(),
                            "what stands in a batch is no record");
    }
    const auto more = next_batch();
    if (!more || !*more) return more;
  }
}

/// Goes to the next batch that may be served; false when there is none now.
Result<bool> LogReader::next_batch() {
  for (;;) {
    if (!held_) {
      const auto more = take_batch();
      if (!more || !*more) return more;
    }
    const BatchHead& head = walk_->head();
    const auto serve = may_serve(head);
    if (!serve) return serve.error();
    held_ = *serve == Serve::not_yet;
    if (held_) return false;
    if (*serve == Serve::yes) {
      records_ = BatchRecords(head, walk_->bytes());
      return true;
    }
    offset_ = std::max(offset_, head.base_offset + head.records);
  }
}

Result<LogReader::Serve> LogReader::may_serve(const BatchHead& head) const {
  if (!head.in_transaction() || isolation_ == Isolation::read_uncommitted) return Serve::yes;
  if (head.base_offset + head.records <= offset_) return Serve::no;  // before the begin
  if (view_.book() == nullptr) return Serve::not_yet;
  const auto fate = view_.book()->fate(head.producer);
  if (!fate) return fate.error();
  if (*fate == TransactionFate::undecided) return Serve::not_yet;
  return *fate == TransactionFate::committed ? Serve::yes : Serve::no;
}

Result<bool> LogReader::take_batch() {
  for (;;) {
    if (!walk_ || walk_->next_position() == limit_) {
      const auto more = find_more();
      if (!more || !*more) return more;
    }
    const auto step = walk_->next(limit_);
    if (!step) return step.error();
    if (*step == SegmentWalk::Step::bad) {
      return journal_damage(segment_path(view_.folder(), base_offset_), walk_->next_position(),
                            walk_->trouble());
    }
    if (*step == SegmentWalk::Step::batch) return true;
  }
}

/// Looks what came behind the limit, in this segment or the next.
Result<bool> LogReader::find_more() {
  const auto shape = view_.shape();
  if (!shape) return shape.error();
  if (offset_ < shape->begin_offset() || offset_ > shape->end_offset()) {
    return Status(Code::source_failed,
                  fmt::format("\"{}\" has no offset {}: it holds {} to {}; read from earliest, "
                              "latest or an offset in between",
                              view_.folder(), offset_, shape->begin_offset(), shape->end_offset()));
  }
  if (offset_ == shape->end_offset()) return false;
  const Segment* segment = &shape->active;
  if (offset_ < shape->active.base_offset) {
    const auto after = std::upper_bound(
        shape->sealed->begin(), shape->sealed->end(), offset_,
        [](std::uint64_t offset, const Segment& s) { return offset < s.base_offset; });
    segment = &*std::prev(after);
  }
  if (!walk_ || segment->base_offset != base_offset_) {
    if (Status status = open_segment(*shape, *segment); !status) return status;
  }
  limit_ = segment->bytes;
  if (walk_->next_position() < limit_) return true;
  return journal_damage(segment_path(view_.folder(), base_offset_), walk_->next_position(),
                        fmt::format("its records end before offset {}", offset_));
}

Status LogReader::open_segment(const PartitionShape& shape, const Segment& segment) {
  const std::string path = segment_path(view_.folder(), segment.base_offset);
  auto file = view_.disk().open(path, DiskOpen::read);
  if (!file) return file.error();
  if (Status status = check_segment_head(**file, path, segment.base_offset); !status) return status;
  IndexEntry entry{segment.base_offset, kSegmentHeadBytes, Segment::kNoTime};
  if (offset_ > segment.base_offset) {
    const auto index = view_.index_of(shape, segment);
    if (!index) return index.error();
    if (const IndexEntry found = index->at_offset(offset_); found.position != 0) entry = found;
  }
  records_ = {};
  file_ = std::move(*file);
  walk_ = std::make_unique<SegmentWalk>(*file_, entry.position, entry.offset, view_.checked());
  base_offset_ = segment.base_offset;
  return {};
}

}  // namespace millrace::detail
