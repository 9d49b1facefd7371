// Recovery of a partition's active segment.
#include "journal/partition_recovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "journal/journal_file.hpp"

namespace millrace::detail {
namespace {

constexpr std::uint64_t kCopyBytes = 1u << 20;

/// Leftovers of a crash between two steps of rolling or retention; that they stay is no harm.
void remove_strangers(Disk& disk, const std::string& folder, const Manifest& manifest,
                      const Log& log) {
  std::set<std::string> known = {folder + "/manifest"};
  for (const Segment& segment : manifest.segments) {
    known.insert(segment_path(folder, segment.base_offset));
    known.insert(index_path(folder, segment.base_offset));
  }
  const auto names = disk.list_folder(folder);
  if (!names) return;
  for (const std::string& name : *names) {
    const bool ours = name.ends_with(".log") || name.ends_with(".idx") || name.ends_with(".new");
    if (!ours || known.contains(folder + "/" + name)) continue;
    if (const Status status = disk.remove(folder + "/" + name); !status)
      log(LogLevel::warn, "journal_leftover", status.message());
  }
}

Status write_again(DiskFile& file, std::uint64_t from, std::uint64_t to) {
  std::string bytes;
  for (std::uint64_t at = from; at < to; at += bytes.size()) {
    bytes.resize(std::min(kCopyBytes, to - at));
    const auto count = file.read_at(at, bytes.data(), bytes.size());
    if (!count) return count.error();
    if (*count == 0) break;
    bytes.resize(*count);
    if (Status status = file.write_at(at, bytes); !status) return status;
  }
  return {};
}

/// Walks to the last whole batch; `claim`: what the batches say was durable.
Status walk_all(SegmentWalk& walk, std::uint64_t file_bytes, RecoveredSegment& found,
                std::uint64_t& claim, bool& torn) {
  for (;;) {
    const auto step = walk.next(file_bytes);
    if (!step) return step.error();
    torn = *step == SegmentWalk::Step::bad;
    if (*step != SegmentWalk::Step::batch) return {};
    const BatchHead& head = walk.head();
    claim = std::max(claim, head.durable_bytes);
    found.index.note(head, walk.position());
    if (head.in_transaction()) {
      found.undecided.try_emplace(head.producer, head.base_offset);
    } else if (head.producer != 0) {
      note_producer(found.producers, head.producer,
                    {head.sequence, head.base_offset, head.records});
    }
  }
}

}  // namespace

Status judge_tail(DiskFile& file, const std::string& path, const SegmentWalk& walk,
                  std::uint64_t known, std::uint64_t file_bytes) {
  const std::uint64_t at = walk.next_position();
  if (at < known) {
    return journal_damage(path, at,
                          walk.trouble().empty()
                              ? fmt::format("it ends there, and {} bytes were durable", known)
                              : walk.trouble());
  }
  const auto claim = later_claim(file, at, walk.next_offset(), file_bytes);
  if (!claim) return claim.error();
  return *claim > at ? journal_damage(path, at, walk.trouble()) : Status();
}

Result<RecoveredSegment> recover_segment(Disk& disk, const std::string& folder,
                                         const Manifest& manifest, bool checked, const Log& log) {
  remove_strangers(disk, folder, manifest, log);
  const Segment& active = manifest.segments.back();
  const std::string path = segment_path(folder, active.base_offset);
  auto file = disk.open(path, DiskOpen::write);
  if (!file) return file.error();
  if (Status status = check_segment_head(**file, path, active.base_offset); !status) return status;
  const auto file_bytes = (*file)->bytes();
  if (!file_bytes) return file_bytes.error();

  RecoveredSegment found;
  found.producers = manifest.producers;
  found.undecided = manifest.undecided;
  SegmentWalk walk(**file, kSegmentHeadBytes, active.base_offset, checked);
  std::uint64_t durable = active.bytes;
  bool torn = false;
  if (Status status = walk_all(walk, *file_bytes, found, durable, torn); !status) return status;
  if (torn || walk.next_position() < active.bytes) {
    if (Status status = judge_tail(**file, path, walk, active.bytes, *file_bytes); !status)
      return status;
  }
  found.bytes = walk.next_position();
  found.end_offset = walk.next_offset();
  if (torn) {
    log(LogLevel::warn, "journal_tail_cut",
        fmt::format("file=\"{}\" at_byte={} bytes={} next_offset={} reason=\"{}\"", path,
                    found.bytes, *file_bytes - found.bytes, found.end_offset, walk.trouble()));
    if (Status status = (*file)->truncate(found.bytes); !status) return status;
  }
  if (torn || durable < found.bytes) {
    if (Status status = write_again(**file, durable, found.bytes); !status) return status;
    if (Status status = (*file)->sync(); !status) return status;
  }
  found.file = std::move(*file);
  return found;
}

}  // namespace millrace::detail
