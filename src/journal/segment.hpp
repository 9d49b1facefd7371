// A segment: the file that holds a run of batches, its walk from batch to batch, its sparse index.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "env/disk.hpp"
#include "journal/journal_batch.hpp"
#include "journal/manifest.hpp"

namespace millrace::detail {

inline constexpr std::uint64_t kSegmentHeadBytes = 24;

/// "FOLDER/00000000000000000042.log", and ".idx".
std::string segment_path(const std::string& folder, std::uint64_t base_offset);
std::string index_path(const std::string& folder, std::uint64_t base_offset);

/// What a segment begins with.
std::string segment_head(std::uint64_t base_offset);
/// Errors: 4001, 4004.
Status check_segment_head(DiskFile& file, const std::string& path, std::uint64_t base_offset);

/// Goes through a segment batch by batch. One thread; the file outlives it.
class SegmentWalk {
 public:
  enum class Step {
    batch,  ///< head(), bytes() and position() are the next batch's
    end,    ///< the bytes end behind a batch
    bad,    ///< what stands at next_position() is no whole batch; trouble() says why
  };

  /// Begins at the batch at `position`, whose first record has `offset`. `checked`: whether
  /// checksums are looked at.
  SegmentWalk(DiskFile& file, std::uint64_t position, std::uint64_t offset, bool checked)
      : file_(&file), position_(position), next_(position), offset_(offset), checked_(checked) {}

  /// Takes the file as `limit` bytes long. After `bad` or `end` it may be asked again, with a
  /// larger limit. Errors: 4001.
  Result<Step> next(std::uint64_t limit);

  const BatchHead& head() const { return head_; }
  /// Valid until next().
  std::string_view bytes() const;
  std::uint64_t position() const { return position_; }
  std::uint64_t next_position() const { return next_; }
  std::uint64_t next_offset() const { return offset_; }
  const std::string& trouble() const { return trouble_; }

 private:
  Result<bool> load(std::uint64_t bytes, std::uint64_t limit);
  Step bad(std::string why);

  DiskFile* file_;
  std::uint64_t position_;
  std::uint64_t next_;
  std::uint64_t offset_;
  bool checked_;
  BatchHead head_;
  std::string buffer_;
  std::uint64_t buffer_at_ = 0;
  std::string trouble_;
};

/// The most bytes that a whole batch behind `position` says were durable when it was written; 0
/// when there is none. It tells a torn tail from damage: what stood before durable bytes was
/// synced. Cost: a pass over the rest of the file. Errors: 4001.
Result<std::uint64_t> later_claim(DiskFile& file, std::uint64_t position, std::uint64_t offset,
                                  std::uint64_t file_bytes);

/// Where a batch stands.
struct IndexEntry {
  std::uint64_t offset = 0;
  std::uint64_t position = 0;
  Time max_time_before = Segment::kNoTime;  ///< of the records before it in the segment
};

/// About every 64 KiB of a segment, an entry; the first stands for its first batch.
class SegmentIndex {
 public:
  /// Batches come in order.
  void note(const BatchHead& head, std::uint64_t position);
  /// The last entry at or before an offset.
  IndexEntry at_offset(std::uint64_t offset) const;
  /// The last entry before which all records are earlier than `time`.
  IndexEntry at_time(Time time) const;
  /// Without the entries at or behind a position.
  SegmentIndex below(std::uint64_t position) const;
  const std::vector<IndexEntry>& entries() const { return entries_; }
  Time max_time() const { return max_time_; }

  std::string to_bytes() const;
  /// Errors: 4004.
  static Result<SegmentIndex> from_bytes(const std::string& path, std::string_view bytes);

 private:
  std::vector<IndexEntry> entries_;
  Time max_time_ = Segment::kNoTime;
};

}  // namespace millrace::detail
