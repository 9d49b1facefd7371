// Seeking in a partition by time, and indexes that can be made anew.
#include "journal/partition_view.hpp"

#include <algorithm>

#include "journal/journal_file.hpp"

namespace millrace::detail {
namespace {

/// The first record at or after `time` behind `entry`; `none` when there is none.
Result<std::uint64_t> walk_to_time(PartitionView& view, const Segment& segment,
                                   const IndexEntry& entry, Time time, std::uint64_t none) {
  const std::string path = segment_path(view.folder(), segment.base_offset);
  const auto file = view.disk().open(path, DiskOpen::read);
  if (!file) return file.error();
  SegmentWalk walk(**file, entry.position, entry.offset, view.checked());
  for (;;) {
    const auto step = walk.next(segment.bytes);
    if (!step) return step.error();
    if (*step == SegmentWalk::Step::bad)
      return journal_damage(path, walk.next_position(), walk.trouble());
    if (*step == SegmentWalk::Step::end) return none;
    if (walk.head().max_time < time) continue;
    BatchRecords records(walk.head(), walk.bytes());
    for (JournalRecord record; records.next(record);)
      if (record.time >= time) return record.offset;
  }
}

}  // namespace

std::uint64_t PartitionShape::stable_offset() const {
  std::uint64_t offset = end_offset();
  for (const auto& [number, first] : undecided) offset = std::min(offset, first);
  return offset;
}

std::uint64_t PartitionShape::bytes() const {
  std::uint64_t sum = active.bytes;
  for (const Segment& segment : *sealed) sum += segment.bytes;
  return sum;
}

Result<SegmentIndex> PartitionView::index_of(const PartitionShape& shape, const Segment& segment) {
  if (segment.base_offset == shape.active.base_offset) return active_index();
  const std::string kept = index_path(folder_, segment.base_offset);
  if (const auto bytes = read_whole(disk_, kept)) {
    auto index = SegmentIndex::from_bytes(kept, *bytes);
    if (index && !index->entries().empty()) return index;
  }
  const std::string path = segment_path(folder_, segment.base_offset);
  const auto file = disk_.open(path, DiskOpen::read);
  if (!file) return file.error();
  SegmentIndex index;
  SegmentWalk walk(**file, kSegmentHeadBytes, segment.base_offset, checked_);
  for (;;) {
    const auto step = walk.next(segment.bytes);
    if (!step) return step.error();
    if (*step == SegmentWalk::Step::bad)
      return journal_damage(path, walk.next_position(), walk.trouble());
    if (*step == SegmentWalk::Step::end) return index;
    index.note(walk.head(), walk.position());
  }
}

Result<std::uint64_t> PartitionView::offset_at(Time time) {
  const auto now = shape();
  if (!now) return now.error();
  std::vector<Segment> segments = *now->sealed;
  segments.push_back(now->active);
  const auto found = std::find_if(segments.begin(), segments.end(), [time](const Segment& segment) {
    return segment.end_offset > segment.base_offset && segment.max_time >= time;
  });
  if (found == segments.end()) return now->end_offset();
  const auto index = index_of(*now, *found);
  if (!index) return index.error();
  IndexEntry entry = index->at_time(time);
  if (entry.position == 0) entry = {found->base_offset, kSegmentHeadBytes, Segment::kNoTime};
  return walk_to_time(*this, *found, entry, time, now->end_offset());
}

}  // namespace millrace::detail
