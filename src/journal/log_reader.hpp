// Reads a partition record by record, from an offset on, also while it grows.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.hpp"
#include "env/disk.hpp"
#include "journal/partition_view.hpp"

namespace millrace::detail {

/// What a reader sees of transactions.
enum class Isolation {
  read_committed,    ///< what is committed; it waits before the first record that is undecided
  read_uncommitted,  ///< all that was appended, also what is or will be aborted
};

/// One thread; the view outlives it.
class LogReader {
 public:
  /// Begins at `offset`; at the end offset it waits for what comes. next() tells of an offset that
  /// is not there.
  LogReader(PartitionView& view, std::uint64_t offset,
            Isolation isolation = Isolation::read_committed)
      : view_(view), offset_(offset), isolation_(isolation) {}

  /// The next record, whose bytes live until next() is called again; false when there is none now.
  /// Errors: 4001, also when retention took records that were not read; 4004 for damage. After an
  /// error it may be called again, and says the same or goes on.
  Result<bool> next(JournalRecord& out);

  /// Of the next record, or before it where the next ones were aborted.
  std::uint64_t offset() const { return offset_; }

 private:
  enum class Serve { yes, no, not_yet };
  Result<bool> next_batch();
  Result<bool> take_batch();
  Result<Serve> may_serve(const BatchHead& head) const;
  Result<bool> find_more();
  Status open_segment(const PartitionShape& shape, const Segment& segment);

  PartitionView& view_;
  std::uint64_t offset_;
  Isolation isolation_;
  bool held_ = false;  // the batch at hand is undecided
  std::unique_ptr<DiskFile> file_;
  std::unique_ptr<SegmentWalk> walk_;
  std::uint64_t base_offset_ = 0;  // of the segment at hand
  std::uint64_t limit_ = 0;        // its bytes that may be read
  BatchRecords records_;
};

}  // namespace millrace::detail
