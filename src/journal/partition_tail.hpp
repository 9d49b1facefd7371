// A partition that another process writes, as far as it can be read now.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/status.hpp"
#include "env/disk.hpp"
#include "journal/partition_view.hpp"

namespace millrace::detail {

/// Changes nothing on disk. It sees records when they are written, which may be shortly before they
/// are durable; of a batch that is half written it sees nothing yet. Any thread.
class PartitionTail final : public PartitionView {
 public:
  PartitionTail(Disk& disk, std::string folder, bool checked, TransactionBook* book = nullptr)
      : PartitionView(disk, std::move(folder), checked, book) {}

  /// Cost: reads the manifest and what is new in the active segment.
  Result<PartitionShape> shape() override;
  SegmentIndex active_index() override;

 private:
  Status look(const Manifest& manifest);
  Status walk_on(std::uint64_t known_bytes);

  std::mutex mutex_;
  Segment active_;  // guarded by mutex_, as all below
  std::unique_ptr<DiskFile> file_;
  std::unique_ptr<SegmentWalk> walk_;
  SegmentIndex index_;
  FirstOffsets undecided_;
};

}  // namespace millrace::detail
