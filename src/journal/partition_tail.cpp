// Following a partition from outside its writer.
#include "journal/partition_tail.hpp"

#include <utility>

#include "journal/journal_file.hpp"
#include "journal/partition_recovery.hpp"

namespace millrace::detail {

Result<PartitionShape> PartitionTail::shape() {
  const std::lock_guard lock(mutex_);
  const auto manifest = read_manifest(disk(), folder());
  if (!manifest) return manifest.error();
  if (Status status = look(*manifest); !status) return status;
  if (Status status = drop_decided(undecided_, book()); !status) return status;
  auto sealed = std::make_shared<const std::vector<Segment>>(manifest->segments.begin(),
                                                             std::prev(manifest->segments.end()));
  return PartitionShape{std::move(sealed), active_, undecided_};
}

Status PartitionTail::look(const Manifest& manifest) {
  const Segment& active = manifest.segments.back();
  if (!walk_ || active_.base_offset != active.base_offset) {
    const std::string path = segment_path(folder(), active.base_offset);
    auto file = disk().open(path, DiskOpen::read);
    if (!file) return file.error();
    if (Status status = check_segment_head(**file, path, active.base_offset); !status)
      return status;
    file_ = std::move(*file);
    walk_ = std::make_unique<SegmentWalk>(*file_, kSegmentHeadBytes, active.base_offset, checked());
    index_ = {};
    active_ = active;
    undecided_ = manifest.undecided;
  }
  return walk_on(active.bytes);
}

Status PartitionTail::walk_on(std::uint64_t known_bytes) {
  const auto file_bytes = file_->bytes();
  if (!file_bytes) return file_bytes.error();
  for (;;) {
    const auto step = walk_->next(*file_bytes);
    if (!step) return step.error();
    if (*step == SegmentWalk::Step::batch) {
      const BatchHead& head = walk_->head();
      index_.note(head, walk_->position());
      if (head.in_transaction()) undecided_.try_emplace(head.producer, head.base_offset);
      continue;
    }
    active_.bytes = walk_->next_position();
    active_.end_offset = walk_->next_offset();
    active_.max_time = index_.max_time();
    if (*step == SegmentWalk::Step::end && active_.bytes >= known_bytes) return {};
    return judge_tail(*file_, segment_path(folder(), active_.base_offset), *walk_, known_bytes,
                      *file_bytes);
  }
}

SegmentIndex PartitionTail::active_index() {
  const std::lock_guard lock(mutex_);
  return index_.below(active_.bytes);
}

}  // namespace millrace::detail
