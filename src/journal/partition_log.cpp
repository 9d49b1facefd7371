// Appending: placing batches, group commit, rolling segments, retention.
#include "journal/partition_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/crc32c.hpp"
#include "journal/journal_file.hpp"
#include "journal/partition_recovery.hpp"

namespace millrace::detail {
namespace {

/// In async mode a write syncs when this much is not durable, so that the loss has a bound.
constexpr std::uint64_t kUnsyncedBytesMax = 16u << 20;

/// A buffer that grew beyond is given back.
constexpr std::size_t kKeptBytes = 1u << 20;

/// A new, empty segment, durable but for its name.
Result<std::unique_ptr<DiskFile>> make_segment(Disk& disk, const std::string& folder,
                                               std::uint64_t base_offset) {
  auto file = disk.open(segment_path(folder, base_offset), DiskOpen::create);
  if (!file) return file;
  if (Status status = (*file)->write_at(0, segment_head(base_offset)); !status) return status;
  if (Status status = (*file)->sync(); !status) return status;
  return file;
}

}  // namespace

PartitionLog::PartitionLog(Disk& disk, Clock& clock, std::string folder,
                           const JournalOptions& options, TransactionBook* book)
    : PartitionView(disk, std::move(folder), !options.no_checksum, book),
      clock_(clock),
      options_(options) {}

PartitionLog::~PartitionLog() {
  // Who wants to know calls close().
  [[maybe_unused]] const Status status = close();
}

Status PartitionLog::create(Disk& disk, const std::string& folder) {
  if (const auto file = make_segment(disk, folder, 0); !file) return file.error();
  return write_manifest(disk, folder, {{{.bytes = kSegmentHeadBytes}}, {}, {}});
}

Result<std::unique_ptr<PartitionLog>> PartitionLog::open(Disk& disk, Clock& clock,
                                                         std::string folder,
                                                         const JournalOptions& options,
                                                         TransactionBook* book) {
  std::unique_ptr<PartitionLog> log(
      new PartitionLog(disk, clock, std::move(folder), options, book));
  auto manifest = read_manifest(disk, log->folder());
  if (!manifest) return manifest.error();
  auto found = recover_segment(disk, log->folder(), *manifest, log->checked(), options.log);
  if (!found) return found.error();
  log->manifest_ = std::move(*manifest);
  log->manifest_.segments.back().bytes = found->bytes;
  log->file_ = std::move(found->file);
  log->index_ = std::move(found->index);
  log->producers_ = std::move(found->producers);
  log->undecided_ = std::move(found->undecided);
  log->next_offset_ = log->written_end_ = log->acked_end_ = found->end_offset;
  log->placed_bytes_ = log->written_bytes_ = log->durable_bytes_ = found->bytes;
  log->publish_sealed();
  log->closed_ = false;
  return log;
}

Result<Appended> PartitionLog::append(std::span<const JournalRecord> records, ProducerStamp stamp) {
  return append_for(records, {stamp, false});
}

Result<Appended> PartitionLog::append_hidden(std::span<const JournalRecord> records,
                                             TransactionNumber number) {
  return append_for(records, {{number, 0}, true});
}

Result<Appended> PartitionLog::append_for(std::span<const JournalRecord> records,
                                          const Owner& owner) {
  std::string batch = take_spare();
  if (Status status = encode_batch(records, batch); !status) return status;
  const std::uint32_t crc = crc32c(std::string_view(batch).substr(kBatchHeadBytes));
  Lock lock(mutex_);
  while (must_roll(batch.size())) {
    if (Status status = roll(lock); !status) return status;
  }
  if (!health_) return health_;
  auto known = known_before(owner, records.size());
  if (!known) return known.error();
  const bool duplicate = known->has_value();
  const std::uint64_t offset = duplicate ? (*known)->offset : place(batch, crc, owner);
  const std::uint64_t end = offset + records.size();
  if (Status status =
          owner.in_transaction ? wait_for(lock, written_end_, end, false) : commit(lock, end);
      !status)
    return status;
  return Appended{offset, duplicate};
}

/// A buffer that was written before, so that large batches do not ask the system for pages anew.
std::string PartitionLog::take_spare() {
  const Lock lock(mutex_);
  return std::exchange(spare_, {});
}

/// Where a repeated append was stored; nullopt when it is the next one.
Result<std::optional<Appended>> PartitionLog::known_before(const Owner& owner,
                                                           std::size_t records) const {
  const ProducerStamp& stamp = owner.stamp;
  const bool counts = stamp.id != 0 && !owner.in_transaction && !options_.no_dedup;
  const auto found = counts ? producers_.find(stamp.id) : producers_.end();
  if (found == producers_.end()) return std::optional<Appended>();
  const ProducerState& last = found->second;
  if (stamp.sequence == last.sequence + last.records) return std::optional<Appended>();
  if (stamp.sequence == last.sequence && records == last.records)
    return std::optional(Appended{last.offset, true});
  return Status(Code::parameter_invalid,
                fmt::format("\"{}\": producer {} appends {} records from sequence {}, after {} "
                            "from {}: it may repeat its last append or go on at {}",
                            folder(), stamp.id, records, stamp.sequence, last.records,
                            last.sequence, last.sequence + last.records));
}

std::uint64_t PartitionLog::next_sequence(std::uint64_t id) {
  const Lock lock(mutex_);
  const auto found = producers_.find(id);
  if (found == producers_.end() || options_.no_dedup) return 0;
  return found->second.sequence + found->second.records;
}

std::uint64_t PartitionLog::place(std::string& batch, std::uint32_t records_crc,
                                  const Owner& owner) {
  BatchHead head = *read_head(batch);
  head.base_offset = next_offset_;
  head.durable_bytes = durable_bytes_;
  head.producer = owner.stamp.id;
  head.sequence = owner.stamp.sequence;
  head.flags = owner.in_transaction ? BatchHead::kInTransaction : 0;
  finish_batch(batch, head, records_crc);
  index_.note(head, placed_bytes_);
  note_owner(head);
  if (pending_.empty()) {
    pending_.swap(batch);  // alone in its group, it need not be copied
  } else {
    pending_.append(batch);
  }
  placed_bytes_ += head.bytes;
  next_offset_ += head.records;
  return head.base_offset;
}

void PartitionLog::note_owner(const BatchHead& head) {
  if (head.in_transaction()) {
    undecided_.try_emplace(head.producer, head.base_offset);
  } else if (head.producer != 0) {
    note_producer(producers_, head.producer, {head.sequence, head.base_offset, head.records});
  }
}

/// Waits until all below `end_offset` is acknowledged, or makes it so.
Status PartitionLog::commit(Lock& lock, std::uint64_t end_offset) {
  return wait_for(lock, acked_end_, end_offset, options_.mode == JournalMode::sync);
}

/// `reached`: the member that is to come as far as `end_offset`.
Status PartitionLog::wait_for(Lock& lock, const std::uint64_t& reached, std::uint64_t end_offset,
                              bool to_sync) {
  while (reached < end_offset) {
    if (!health_) return health_;
    if (leading_) {
      done_.wait(lock);
    } else {
      lead(lock, to_sync);
    }
  }
  return {};
}

/// Writes what is pending; the lock is open meanwhile, and more becomes pending.
void PartitionLog::lead(Lock& lock, bool to_sync) {
  leading_ = true;
  writing_.clear();
  writing_.swap(pending_);
  const std::uint64_t at = written_bytes_;
  const std::uint64_t end_offset = next_offset_;
  const std::uint64_t end = at + writing_.size();
  to_sync = to_sync || end - durable_bytes_ > kUnsyncedBytesMax;
  lock.unlock();
  Status status = writing_.empty() ? Status() : file_->write_at(at, writing_);
  if (status && to_sync) status = sync_file(*file_);
  if (writing_.capacity() > kKeptBytes) writing_ = {};
  lock.lock();
  leading_ = false;
  writing_.clear();
  if (spare_.capacity() < writing_.capacity()) spare_.swap(writing_);
  if (status) {
    written_bytes_ = end;
    written_end_ = end_offset;
    if (to_sync) durable_bytes_ = end;
    if (to_sync || options_.mode == JournalMode::async) acked_end_ = end_offset;
  } else {
    [[maybe_unused]] const Status said = fail(status);
  }
  done_.notify_all();
}

Status PartitionLog::fail(const Status& status) {
  health_ = Status(status.code(), status.message() +
                                      "; the partition takes no more records until the journal is "
                                      "opened again");
  return health_;
}

Status PartitionLog::sync_file(DiskFile& file) { return options_.no_sync ? Status() : file.sync(); }

Status PartitionLog::sync() {
  Lock lock(mutex_);
  return sync_now(lock);
}

Status PartitionLog::sync_now(Lock& lock) {
  while (leading_) done_.wait(lock);
  if (health_ && (durable_bytes_ < written_bytes_ || !pending_.empty())) lead(lock, true);
  return health_;
}

bool PartitionLog::must_roll(std::size_t batch_bytes) const {
  return health_ && placed_bytes_ > kSegmentHeadBytes &&
         placed_bytes_ + batch_bytes > options_.segment_bytes;
}

Status PartitionLog::roll(Lock& lock) {
  if (Status status = commit(lock, next_offset_); !status) return status;
  if (acked_end_ < next_offset_) return {};  // more came meanwhile: the caller asks again
  if (Status status = sync_now(lock); !status) return status;
  if (acked_end_ < next_offset_ || leading_) return {};
  if (Status status = switch_segment(); !status) return fail(status);
  return {};
}

/// Seals the active segment and begins another. Nothing is pending, and the lock stays closed.
Status PartitionLog::switch_segment() {
  Manifest next = manifest_;
  Segment& sealed = next.segments.back();
  sealed.bytes = written_bytes_;
  sealed.end_offset = next_offset_;
  sealed.max_time = index_.max_time();
  sealed.sealed_at = clock_.wall_us();
  keep_index(sealed.base_offset);
  auto file = make_segment(disk(), folder(), next_offset_);
  if (!file) return file.error();
  next.segments.push_back({.base_offset = next_offset_, .bytes = kSegmentHeadBytes});
  next.producers = producers_;
  if (Status status = drop_decided(undecided_, book()); !status) return status;
  next.undecided = undecided_;
  if (Status status = write_manifest(disk(), folder(), next); !status) return status;
  manifest_ = std::move(next);
  file_ = std::move(*file);
  index_ = {};
  placed_bytes_ = written_bytes_ = durable_bytes_ = kSegmentHeadBytes;
  publish_sealed();
  return {};
}

/// Beside the segment; without it the segment is walked when it is sought in.
void PartitionLog::keep_index(std::uint64_t base_offset) {
  const std::string path = index_path(folder(), base_offset);
  auto kept = disk().open(path, DiskOpen::create);
  Status status = kept ? (*kept)->write_at(0, index_.to_bytes()) : kept.error();
  if (status) status = (*kept)->sync();
  if (status) return;
  options_.log(LogLevel::warn, "journal_index_missing", status.message());
  status = disk().remove(path);  // half an index is worse than none
}

void PartitionLog::publish_sealed() {
  sealed_ = std::make_shared<const std::vector<Segment>>(manifest_.segments.begin(),
                                                         std::prev(manifest_.segments.end()));
}

Status PartitionLog::retain(const JournalRetention& retention) {
  const Lock lock(mutex_);
  if (!health_) return health_;
  if (Status status = drop_decided(undecided_, book()); !status) return status;
  std::uint64_t undecided = UINT64_MAX;
  for (const auto& [number, offset] : undecided_) undecided = std::min(undecided, offset);
  const auto active = std::prev(manifest_.segments.cend());
  std::uint64_t bytes = written_bytes_;
  for (auto it = manifest_.segments.cbegin(); it != active; ++it) bytes += it->bytes;
  const Time oldest = clock_.wall_us() - retention.time.count();
  auto first = manifest_.segments.cbegin();
  for (; first != active; ++first) {
    const bool too_old = retention.time.count() > 0 && first->sealed_at < oldest;
    const bool too_much = retention.bytes > 0 && bytes > retention.bytes;
    if ((!too_old && !too_much) || first->end_offset > undecided) break;
    bytes -= first->bytes;
  }
  return drop_before(first);
}

Status PartitionLog::remove_before(std::uint64_t offset) {
  const Lock lock(mutex_);
  if (!health_) return health_;
  const auto active = std::prev(manifest_.segments.cend());
  return drop_before(
      std::find_if(manifest_.segments.cbegin(), active,
                   [offset](const Segment& segment) { return segment.end_offset > offset; }));
}

/// Removes the segments before `first`. The lock is closed.
Status PartitionLog::drop_before(SegmentAt first) {
  if (first == manifest_.segments.cbegin()) return {};
  Manifest next{{first, manifest_.segments.cend()}, manifest_.producers, manifest_.undecided};
  if (Status status = write_manifest(disk(), folder(), next); !status) return fail(status);
  const std::vector<Segment> gone(manifest_.segments.cbegin(), first);
  manifest_ = std::move(next);
  publish_sealed();
  for (const Segment& segment : gone) {
    // A file that stays is removed when the journal is opened next.
    [[maybe_unused]] Status status = disk().remove(segment_path(folder(), segment.base_offset));
    status = disk().remove(index_path(folder(), segment.base_offset));
  }
  return {};
}

Status PartitionLog::close() {
  Lock lock(mutex_);
  if (closed_) return health_;
  if (Status status = sync_now(lock); !status) return status;
  closed_ = true;
  if (manifest_.segments.back().bytes == written_bytes_ && written_bytes_ == kSegmentHeadBytes)
    return {};
  manifest_.segments.back().bytes = written_bytes_;
  return write_manifest(disk(), folder(), manifest_);
}

Result<PartitionShape> PartitionLog::shape() {
  const Lock lock(mutex_);
  if (Status status = drop_decided(undecided_, book()); !status) return status;
  Segment active = manifest_.segments.back();
  active.bytes = acked_bytes();
  active.end_offset = acked_end_;
  active.max_time = index_.max_time();
  return PartitionShape{sealed_, active, undecided_};
}

SegmentIndex PartitionLog::active_index() {
  const Lock lock(mutex_);
  return index_.below(acked_bytes());
}

/// What stands before acked_end_: readers see nothing that a loss of power may still take.
std::uint64_t PartitionLog::acked_bytes() const {
  return options_.mode == JournalMode::sync ? durable_bytes_ : written_bytes_;
}

}  // namespace millrace::detail
