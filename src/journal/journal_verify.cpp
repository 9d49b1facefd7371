// A pass over all files of a journal that lists what is damaged.
#include <fmt/format.h>

#include <algorithm>

#include "journal/journal.hpp"
#include "journal/journal_file.hpp"
#include "journal/partition_recovery.hpp"
#include "journal/transaction_follower.hpp"

namespace millrace::detail {
namespace {

/// Walks one segment to its end, or to its first damage.
Status verify_segment(Disk& disk, const std::string& folder, const Segment& segment, bool active,
                      JournalVerdict& verdict) {
  const std::string path = segment_path(folder, segment.base_offset);
  const auto file = disk.open(path, DiskOpen::read);
  if (!file) return file.error();
  if (Status status = check_segment_head(**file, path, segment.base_offset); !status) return status;
  const auto bytes = (*file)->bytes();
  if (!bytes) return bytes.error();
  if (!active && *bytes != segment.bytes)
    return journal_damage(
        path, std::min(*bytes, segment.bytes),
        fmt::format("it has {} bytes, and had {} when it was sealed", *bytes, segment.bytes));
  SegmentWalk walk(**file, kSegmentHeadBytes, segment.base_offset, true);
  for (;;) {
    const auto step = walk.next(*bytes);
    if (!step) return step.error();
    if (*step == SegmentWalk::Step::batch) {
      ++verdict.batches;
      BatchRecords records(walk.head(), walk.bytes());
      for (JournalRecord record; records.next(record);) ++verdict.records;
      if (!records.damaged()) continue;
      return journal_damage(path, walk.position(), "what stands in a batch is no record");
    }
    const bool ends = *step == SegmentWalk::Step::end;
    if (active && !(ends && walk.next_position() >= segment.bytes))
      return judge_tail(**file, path, walk, segment.bytes, *bytes);
    if (!ends) return journal_damage(path, walk.next_position(), walk.trouble());
    if (!active && walk.next_offset() != segment.end_offset)
      return journal_damage(path, *bytes, "its last offset is not that of the manifest");
    return {};
  }
}

void verify_partition(Disk& disk, const std::string& folder, JournalVerdict& verdict) {
  const auto note = [&verdict](const Status& status) {
    ++verdict.files;
    if (!status) verdict.damage.push_back(status);
  };
  const auto manifest = read_manifest(disk, folder);
  note(manifest.error());
  if (!manifest) return;
  for (const Segment& segment : manifest->segments) {
    const bool active = &segment == &manifest->segments.back();
    note(verify_segment(disk, folder, segment, active, verdict));
    const std::string kept = index_path(folder, segment.base_offset);
    if (active || !disk.exists(kept)) continue;  // an index that is missing can be made anew
    const auto bytes = read_whole(disk, kept);
    note(bytes ? SegmentIndex::from_bytes(kept, *bytes).error() : bytes.error());
  }
}

/// The log of transactions; its records are not counted.
void verify_transactions(Disk& disk, const std::string& folder, JournalVerdict& verdict) {
  if (!has_transactions(disk, folder)) return;
  JournalVerdict log;
  verify_partition(disk, transactions_folder(folder), log);
  verdict.files += log.files;
  if (log.damage.empty()) {
    TransactionFollower follower(disk, folder, true);
    if (const auto prepared = follower.prepared(); !prepared)
      log.damage.push_back(prepared.error());
  }
  verdict.damage.insert(verdict.damage.end(), log.damage.begin(), log.damage.end());
}

}  // namespace

Result<JournalVerdict> verify_journal(Disk& disk, Clock& clock, const std::string& folder) {
  JournalVerdict verdict;
  auto journal = Journal::open(disk, clock, folder, {.read_only = true});
  if (!journal) {
    if (journal.error().code() != Code::input_corrupt) return journal.error();
    verdict.damage.push_back(journal.error());
    return verdict;
  }
  verify_transactions(disk, folder, verdict);
  for (Topic* topic : (*journal)->topics()) {
    verdict.files += 1;
    for (std::uint32_t number = 0; number < topic->partitions(); ++number)
      verify_partition(disk, topic->view(number).folder(), verdict);
  }
  return verdict;
}

}  // namespace millrace::detail
