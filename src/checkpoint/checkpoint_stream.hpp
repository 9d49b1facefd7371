// CheckpointStream: the file of one epoch, written aside as its parts come, made durable, put in
// place.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/status.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/checkpoint_file.hpp"
#include "checkpoint/checkpoint_image.hpp"
#include "env/disk.hpp"

namespace millrace::detail {

/// Writes `folder`/`name`. Memory: a frame, and what the directory says. One thread.
class CheckpointStream final : public EpochStream {
 public:
  /// Nothing is written yet. `disk` outlives it. `base`: what parts may be the changes of.
  CheckpointStream(Disk& disk, std::string folder, const std::string& name, CheckpointAccess access,
                   CheckpointBase base = {});
  CheckpointStream(const CheckpointStream&) = delete;
  CheckpointStream& operator=(const CheckpointStream&) = delete;
  ~CheckpointStream() override;

  Status add(const ImagePiece& piece) override;
  Status end(const EpochImage& image) override;
  /// Of the file, behind end().
  std::uint64_t bytes() const { return bytes_; }
  /// The same: its last checksum.
  std::uint32_t crc() const { return crc_; }
  /// The same: what it holds the changes of.
  const CheckpointBase& base() const { return base_; }

 private:
  /// A part in the directory: `part` without bytes.
  struct WrittenPart {
    StatePart part;
    std::vector<CheckpointChunk> chunks;
  };
  using PartName = std::pair<std::string, std::uint32_t>;  ///< and the number of its key group
  struct WrittenStage {
    std::vector<WrittenPart> parts;
    std::map<PartName, std::size_t>
        added;  ///< where in `parts` those of key groups are that came by add()
  };

  Status open();
  WrittenPart& part_of(const StatePart& part, WrittenStage& to);
  Status write_bytes(const StatePart& part, WrittenPart& to);
  Status write_parts(const StageImage& stage, WrittenStage& to);
  Status write_aside(const EpochImage& image);
  void write_head(const EpochImage& image);
  void write_stage(const StageImage& stage, const WrittenStage& written);

  Disk& disk_;
  const std::string folder_;
  const std::string path_;
  const CheckpointAccess access_;
  CheckpointBase base_;
  std::unique_ptr<DiskFile> file_;
  std::optional<CheckpointWriter> to_;  ///< empty: nothing is written yet
  std::map<std::pair<std::string, std::uint32_t>, WrittenStage> stages_;  ///< by stage and task
  Status status_;
  bool has_changes_ = false;  ///< some part is the changes of the base
  bool in_place_ = false;
  std::uint64_t bytes_ = 0;
  std::uint32_t crc_ = 0;
};

/// Writes an epoch that is whole already: its bytes. When it returns ok the file is there also
/// after a loss of power; when not, it is whole or not there. Errors: as EpochStream::end().
Result<std::uint64_t> write_checkpoint(Disk& disk, const std::string& folder,
                                       const std::string& name, const EpochImage& image,
                                       const CheckpointAccess& access);

}  // namespace millrace::detail
