// EpochImage to the values of a file and back.
#include "checkpoint/checkpoint_image.hpp"

#include <fmt/format.h>

#include "checkpoint/checkpoint_file.hpp"

namespace millrace::detail {
namespace {

void write_head(CheckpointWriter& to, const EpochImage& image, const std::string& program) {
  to.number(image.epoch);
  to.number(image.taken_at);
  to.number<std::uint8_t>(image.finished ? 1 : 0);
  to.text(image.topology);
  to.text(program);
  to.number(kKeyHashVersion);
  to.number(static_cast<std::uint32_t>(kKeyGroups));
  to.number(static_cast<std::uint32_t>(image.stages.size()));
  to.end_frame();
}

void write_stage(CheckpointWriter& to, const StageImage& stage) {
  to.text(stage.component);
  to.text(stage.stage);
  to.number(stage.task);
  to.number(stage.tasks);
  to.number<std::uint8_t>(stage.replayable ? 1 : 0);
  to.varint(stage.positions.size());
  for (const SourcePosition& position : stage.positions) {
    to.text(position.partition);
    to.text(position.bytes);
  }
  to.varint(stage.prepared.size());
  for (const std::string& prepared : stage.prepared) to.text(prepared);
  to.varint(stage.parts.size());
  for (const StatePart& part : stage.parts) {
    to.text(part.name);
    to.text(part.shape);
    to.number(static_cast<std::uint8_t>(part.owner));
    to.varint(part.number);
    to.text(part.bytes);
  }
  to.end_frame();
}

CheckpointHead read_head(CheckpointReader& from, const std::string& path, Status& problem) {
  CheckpointHead head;
  head.epoch = from.number<std::uint64_t>();
  head.taken_at = from.number<Time>();
  head.finished = from.number<std::uint8_t>() != 0;
  head.topology = from.text();
  head.program = from.text();
  const auto hashes = from.number<std::uint32_t>();
  const auto groups = from.number<std::uint32_t>();
  head.stages = from.number<std::uint32_t>();
  problem = from.status();
  if (problem && (hashes != kKeyHashVersion || groups != kKeyGroups)) {
    problem = {Code::state_unreadable,
               fmt::format("\"{}\" spreads keys over {} groups by hashes of version {}, this "
                           "program over {} by version {}: use the program that wrote it ({})",
                           path, groups, hashes, kKeyGroups, kKeyHashVersion, head.program)};
  }
  return head;
}

StatePart read_part(CheckpointReader& from) {
  StatePart part;
  part.name = from.text();
  part.shape = from.text();
  const auto owner = from.number<std::uint8_t>();
  if (owner > static_cast<std::uint8_t>(PartOwner::partition))
    from.refuse("a part of the state belongs to nobody that is known");
  part.owner = static_cast<PartOwner>(owner);
  const std::uint64_t number = from.varint();
  if (number > UINT32_MAX ||
      (part.owner == PartOwner::key_group && number >= static_cast<std::uint64_t>(kKeyGroups)))
    from.refuse("the number of a part of the state is out of range");
  part.number = static_cast<std::uint32_t>(number);
  part.bytes = from.text();
  return part;
}

StageImage read_stage(CheckpointReader& from, const CheckpointAccess& access) {
  StageImage stage;
  stage.component = from.text();
  stage.stage = from.text();
  stage.task = from.number<std::uint32_t>();
  stage.tasks = from.number<std::uint32_t>();
  if (from.status() && stage.task >= stage.tasks) from.refuse("a task is one of fewer");
  stage.replayable = from.number<std::uint8_t>() != 0;
  for (auto left = from.varint(); left > 0 && from.status(); --left) {
    std::string partition = from.text();
    stage.positions.push_back({std::move(partition), from.text()});
  }
  for (auto left = from.varint(); left > 0 && from.status(); --left)
    stage.prepared.push_back(from.text());
  for (auto left = from.varint(); left > 0 && from.status(); --left) {
    stage.parts.push_back(read_part(from));
    if (access.progress) access.progress(from.position(), from.bytes());
  }
  return stage;
}

Status write_aside(Disk& disk, const std::string& path, const EpochImage& image,
                   const CheckpointAccess& access, std::uint64_t& bytes) {
  auto file = disk.open(path, DiskOpen::create);
  if (!file) return file.error();
  CheckpointWriter to(**file);
  write_head(to, image, access.program);
  for (const StageImage& stage : image.stages) write_stage(to, stage);
  if (Status status = to.end(); !status) return status;
  bytes = to.bytes();
  return access.no_sync ? Status() : (*file)->sync();
}

}  // namespace

Result<std::uint64_t> write_checkpoint(Disk& disk, const std::string& folder,
                                       const std::string& name, const EpochImage& image,
                                       const CheckpointAccess& access) {
  const std::string path = folder + "/" + name;
  const std::string aside = path + ".new";
  std::uint64_t bytes = 0;
  Status written = write_aside(disk, aside, image, access, bytes);
  if (written) written = disk.rename(aside, path);
  if (!written) {
    (void)disk.remove(aside);  // a full disk needs the room; else the next opening removes it
    return written;
  }
  if (Status status = access.no_sync ? Status() : disk.sync_folder(folder); !status) return status;
  return bytes;
}

ReadCheckpoint read_checkpoint(Disk& disk, const std::string& path,
                               const CheckpointAccess& access) {
  ReadCheckpoint read;
  const auto file = disk.open(path, DiskOpen::read);
  read.status = file.error();
  if (!file) return read;
  CheckpointReader from(**file, path, !access.no_checksum);
  CheckpointHead head = read_head(from, path, read.status);
  if (read.status) {
    read.image = {head.epoch, std::move(head.topology), head.taken_at, head.finished, {}};
    for (auto left = head.stages; left > 0 && from.status(); --left)
      read.image.stages.push_back(read_stage(from, access));
    from.expect_end();
    read.status = from.status();
  }
  read.damaged = from.damaged();
  read.bytes = from.bytes();
  return read;
}

Result<CheckpointHead> read_checkpoint_head(Disk& disk, const std::string& path) {
  const auto file = disk.open(path, DiskOpen::read);
  if (!file) return file.error();
  CheckpointReader from(**file, path);
  Status problem;
  CheckpointHead head = read_head(from, path, problem);
  if (!problem) return problem;
  return head;
}

}  // namespace millrace::detail
