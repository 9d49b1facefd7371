// Chunks as they come, then the directory of them.
#include "checkpoint/checkpoint_stream.hpp"

#include <algorithm>
#include <string_view>

#include "state/chained_parts.hpp"

namespace millrace::detail {

CheckpointStream::CheckpointStream(Disk& disk, std::string folder, const std::string& name,
                                   CheckpointAccess access, CheckpointBase base)
    : disk_(disk),
      folder_(std::move(folder)),
      path_(folder_ + "/" + name),
      access_(std::move(access)),
      base_(base) {}

/// A full disk needs the room; what stays here is removed by the next opening of the folder.
CheckpointStream::~CheckpointStream() {
  if (in_place_ || !file_) return;
  to_.reset();
  file_.reset();
  (void)disk_.remove(path_ + ".new");
}

Status CheckpointStream::open() {
  if (to_) return {};
  auto file = disk_.open(path_ + ".new", DiskOpen::create);
  if (!file) return file.error();
  file_ = std::move(*file);
  to_.emplace(*file_);
  return to_->status();
}

Status CheckpointStream::add(const ImagePiece& piece) {
  if (status_) status_ = open();
  if (!status_) return status_;
  const StatePart& part = piece.part;
  WrittenStage& stage = stages_[{piece.stage, piece.task}];
  status_ = write_bytes(part, part_of(part, stage));
  if (part.owner == PartOwner::key_group)
    stage.added.try_emplace({part.name, part.number}, stage.parts.size() - 1);
  return status_;
}

Status CheckpointStream::write_bytes(const StatePart& part, WrittenPart& to) {
  const auto stored = part.stored ? part.stored->read() : Result<std::string>(std::string());
  if (!stored) return stored.error();
  std::string_view left = part.stored ? *stored : part.bytes;
  while (!left.empty() && to_->status()) {
    to.chunks.push_back(to_->chunk(left.substr(0, kFrameBytesMax)));
    left.remove_prefix(to.chunks.back().length);
  }
  return to_->status();
}

/// Where its bytes go: behind those of the piece before, if it is one of several.
CheckpointStream::WrittenPart& CheckpointStream::part_of(const StatePart& part, WrittenStage& to) {
  const auto before = to.added.find({part.name, part.number});
  if (part.owner == PartOwner::key_group && before != to.added.end())
    return to.parts[before->second];
  has_changes_ |= part.owner == PartOwner::task && part.name.ends_with(kBaseSuffix);
  to.parts.push_back({{part.name, part.shape, part.owner, part.number, {}}, {}});
  return to.parts.back();
}

Status CheckpointStream::write_parts(const StageImage& stage, WrittenStage& to) {
  for (const StatePart& part : stage.parts) {
    if (Status status = write_bytes(part, part_of(part, to)); !status) return status;
  }
  return {};
}

Status CheckpointStream::write_aside(const EpochImage& image) {
  if (Status status = open(); !status) return status;
  std::vector<WrittenStage> written(image.stages.size());
  for (std::size_t at = 0; at < written.size(); ++at) {
    const StageImage& stage = image.stages[at];
    if (auto added = stages_.extract({stage.stage, stage.task}))
      written[at] = std::move(added.mapped());
    if (Status status = write_parts(stage, written[at]); !status) return status;
  }
  if (!stages_.empty()) {
    return {Code::internal, "a checkpoint has state of \"" + stages_.begin()->first.first +
                                "\", which is not in its image: a bug of the engine"};
  }
  if (!has_changes_) base_ = {};
  to_->begin_directory();
  write_head(image);
  for (std::size_t at = 0; at < written.size(); ++at) write_stage(image.stages[at], written[at]);
  if (Status status = to_->end(); !status) return status;
  bytes_ = to_->bytes();
  crc_ = to_->crc();
  return access_.no_sync ? Status() : file_->sync();
}

void CheckpointStream::write_head(const EpochImage& image) {
  to_->number(image.epoch);
  to_->number(image.taken_at);
  to_->number<std::uint8_t>(image.finished ? 1 : 0);
  to_->text(image.topology);
  to_->text(access_.program);
  to_->number(kKeyHashVersion);
  to_->number(static_cast<std::uint32_t>(kKeyGroups));
  to_->number(static_cast<std::uint32_t>(image.stages.size()));
  to_->number(base_.epoch);
  to_->number(base_.crc);
  to_->end_frame();
}

void CheckpointStream::write_stage(const StageImage& stage, const WrittenStage& written) {
  to_->text(stage.component);
  to_->text(stage.stage);
  to_->number(stage.task);
  to_->number(stage.tasks);
  to_->number<std::uint8_t>(stage.replayable ? 1 : 0);
  to_->varint(stage.positions.size());
  for (const SourcePosition& position : stage.positions) {
    to_->text(position.partition);
    to_->text(position.bytes);
  }
  to_->varint(stage.prepared.size());
  for (const std::string& prepared : stage.prepared) to_->text(prepared);
  to_->varint(written.parts.size());
  for (const auto& [part, chunks] : written.parts) {
    to_->text(part.name);
    to_->text(part.shape);
    to_->number(static_cast<std::uint8_t>(part.owner));
    to_->varint(part.number);
    to_->varint(chunks.size());
    for (const CheckpointChunk& chunk : chunks) {
      to_->varint(chunk.position);
      to_->varint(chunk.length);
    }
  }
  to_->end_frame();
}

Status CheckpointStream::end(const EpochImage& image) {
  if (status_) status_ = write_aside(image);
  if (status_) status_ = disk_.rename(path_ + ".new", path_);
  if (!status_) return status_;
  in_place_ = true;
  if (!access_.no_sync) status_ = disk_.sync_folder(folder_);
  return status_;
}

Result<std::uint64_t> write_checkpoint(Disk& disk, const std::string& folder,
                                       const std::string& name, const EpochImage& image,
                                       const CheckpointAccess& access) {
  CheckpointStream to(disk, folder, name, access);
  if (Status status = to.end(image); !status) return status;
  return to.bytes();
}

}  // namespace millrace::detail
