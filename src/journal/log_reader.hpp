// Reads a partition record by record, from an offset on, also while it grows.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.hpp"
#include "env/disk.hpp"
#include "journal/partition_view.hpp"

namespace millrace::detail {

/// One thread; the view outlives it.
class LogReader {
 public:
  /// Begins at `offset`; at the end offset it waits for what comes. next() tells of an offset that
  /// is not there.
  LogReader(PartitionView& view, std::uint64_t offset) : view_(view), offset_(offset) {}

  /// The next record, whose bytes live until next() is called again; false when there is none now.
  /// Errors: 4001, also when retention took records that were not read; 4004 for damage. After an
  /// error it may be called again, and says the same or goes on.
  Result<bool> next(JournalRecord& out);

  /// Of the next record.
  std::uint64_t offset() const { return offset_; }

 private:
  Result<bool> next_batch();
  Result<bool> find_more();
  Status open_segment(const PartitionShape& shape, const Segment& segment);

  PartitionView& view_;
  std::uint64_t offset_;
  std::unique_ptr<DiskFile> file_;
  std::unique_ptr<SegmentWalk> walk_;
  std::uint64_t base_offset_ = 0;  // of the segment at hand
  std::uint64_t limit_ = 0;        // its bytes that may be read
  BatchRecords records_;
};

}  // namespace millrace::detail
