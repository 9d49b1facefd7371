// What a reader sees of a partition: its segments, and how far the last one may be read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "env/disk.hpp"
#include "journal/manifest.hpp"
#include "journal/segment.hpp"
#include "journal/transaction_states.hpp"

namespace millrace::detail {

/// The segments of a partition at a moment. Cheap to copy.
struct PartitionShape {
  std::shared_ptr<const std::vector<Segment>> sealed;
  Segment active;               ///< bytes, end_offset and max_time are those of what may be read
  FirstOffsets undecided = {};  ///< transactions with records here

  std::uint64_t begin_offset() const {
    return sealed->empty() ? active.base_offset : sealed->front().base_offset;
  }
  std::uint64_t end_offset() const { return active.end_offset; }
  /// The last stable offset: below it everything is decided, committed or aborted.
  std::uint64_t stable_offset() const;
  std::uint64_t bytes() const;
};

/// A partition to be read. Any thread.
class PartitionView {
 public:
  /// `book` knows the transactions and outlives this; null: there are none.
  PartitionView(Disk& disk, std::string folder, bool checked, TransactionBook* book)
      : disk_(disk), folder_(std::move(folder)), checked_(checked), book_(book) {}
  virtual ~PartitionView() = default;
  PartitionView(const PartitionView&) = delete;
  PartitionView& operator=(const PartitionView&) = delete;

  /// What there is now. Errors: 4001, 4004.
  virtual Result<PartitionShape> shape() = 0;
  /// The index of the active segment, as far as it may be read.
  virtual SegmentIndex active_index() = 0;

  Disk& disk() const { return disk_; }
  const std::string& folder() const { return folder_; }
  /// Whether checksums are looked at.
  bool checked() const { return checked_; }
  /// Null where there are no transactions.
  TransactionBook* book() const { return book_; }

  /// The offset of the first record whose time is `time` or later; the end offset when there is
  /// none. Errors: 4001, 4004.
  Result<std::uint64_t> offset_at(Time time);
  /// The index of any segment: as kept beside it, or made by a pass over it. Errors: 4001, 4004.
  Result<SegmentIndex> index_of(const PartitionShape& shape, const Segment& segment);

 private:
  Disk& disk_;
  std::string folder_;
  bool checked_;
  TransactionBook* book_;
};

}  // namespace millrace::detail
