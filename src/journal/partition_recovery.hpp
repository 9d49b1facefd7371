// What is found in the active segment of a partition when it is opened again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "env/disk.hpp"
#include "journal/manifest.hpp"
#include "journal/segment.hpp"

namespace millrace::detail {

/// A recovered active segment: its file, open for writing, is durable up to `bytes` and ends there.
struct RecoveredSegment {
  std::unique_ptr<DiskFile> file;
  std::uint64_t bytes = 0;
  std::uint64_t end_offset = 0;
  SegmentIndex index;
  Producers producers;
  FirstOffsets undecided;  ///< transactions; some may have been decided since
};

/// Reads the active segment, cuts a torn tail with a line to the log, and writes again what is not
/// known to be durable: pages that a failed sync left behind look written and are not. Removes
/// files that the manifest does not know.
///
/// What does not check is a torn tail unless the manifest, or a whole batch behind it, says that it
/// was durable. Errors: 4001, 4002; 4004 for damage.
Result<RecoveredSegment> recover_segment(Disk& disk, const std::string& folder,
                                         const Manifest& manifest, bool checked, const Log& log);

/// Whether the bytes at `walk`'s next position are damage, as said above. `known` is how much the
/// manifest knows to be durable. Errors: 4001.
Status judge_tail(DiskFile& file, const std::string& path, const SegmentWalk& walk,
                  std::uint64_t known, std::uint64_t file_bytes);

}  // namespace millrace::detail
