// CheckpointChain: an epoch whose file holds changes, read as the whole that it stands for.
#pragma once

#include <cstdint>
#include <string>

#include "checkpoint/checkpoint_image.hpp"
#include "env/disk.hpp"

namespace millrace::detail {

/// The epoch of a file in `folder`, whole: where it holds changes, they are put over those of the
/// files before, down to one that is whole. All files of the chain are looked at; damage and what
/// is missing is told with the file that it is in. `bytes` are those of all. Memory: with
/// `access.leave_parts` a part is put together when it is read, and holds its own chain meanwhile.
ReadCheckpoint read_checkpoint_chain(Disk& disk, const std::string& folder, std::uint64_t epoch,
                                     const CheckpointAccess& access);

}  // namespace millrace::detail
