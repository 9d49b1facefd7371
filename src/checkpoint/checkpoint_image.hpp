// One epoch as one file: read whole or not at all.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/status.hpp"
#include "checkpoint/checkpoint.hpp"
#include "env/disk.hpp"

namespace millrace::detail {

/// Which hashes say to what key group a key belongs. Raised with any change of base/hash.hpp or of
/// how keys are hashed, for the state of earlier programs would be given to the wrong tasks.
inline constexpr std::uint32_t kKeyHashVersion = 1;

/// The epoch that a file holds the changes of.
struct CheckpointBase {
  std::uint64_t epoch = 0;  ///< 0: none, the file is whole
  std::uint32_t crc = 0;    ///< the last checksum of its file
};

/// What the first frame says.
struct CheckpointHead {
  std::uint64_t epoch = 0;
  std::string topology;
  Time taken_at = 0;      ///< wall clock
  bool finished = false;  ///< see EpochImage
  std::string program;    ///< version of what wrote it
  std::uint32_t stages = 0;
  CheckpointBase base = {};
};

/// How a checkpoint is written or read.
struct CheckpointAccess {
  std::string program = {};  ///< version of this one
  bool no_sync = false;      ///< unsafe, for tests of the tests: nothing is synced
  bool no_checksum = false;  ///< unsafe, for tests of the tests: damage is not looked for
  /// Bytes of parts stay in the file, which is kept open, until somebody reads them; all of them
  /// are looked at before. Those of files of version 1 are read at once.
  bool leave_parts = false;
  /// Called now and then by who reads: how many bytes of how many. Must not throw.
  std::function<void(std::uint64_t bytes, std::uint64_t bytes_all)> progress = {};
};

/// What reading a checkpoint came to.
struct ReadCheckpoint {
  EpochImage image;         ///< where `status` is ok
  Status status;            ///< 3003 with the offset, also of another version; 4001
  bool damaged = false;     ///< its bytes are not those that were written
  std::uint64_t bytes = 0;  ///< of the file
  CheckpointBase base = {};
  std::uint32_t crc = 0;  ///< its last checksum
};
/// One file: of an epoch of changes what it holds itself.
ReadCheckpoint read_checkpoint(Disk& disk, const std::string& path, const CheckpointAccess& access);
/// Reads the first frame alone: says nothing of the rest. Errors: 3003, 4001.
Result<CheckpointHead> read_checkpoint_head(Disk& disk, const std::string& path);

}  // namespace millrace::detail
