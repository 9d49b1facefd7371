// The values of a file to an EpochImage.
#include "checkpoint/checkpoint_image.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "checkpoint/checkpoint_file.hpp"

namespace millrace::detail {
namespace {

/// A chunk, and the part that its bytes belong to.
struct NamedChunk {
  CheckpointChunk chunk;
  std::size_t stage = 0;
  std::size_t part = 0;
};

/// A file whose parts are read when they are asked for.
struct OpenCheckpoint {
  std::unique_ptr<DiskFile> file;
  std::string path;
  bool checked = true;
};

class ChunkedBytes final : public StoredBytes {
 public:
  explicit ChunkedBytes(std::shared_ptr<const OpenCheckpoint> from) : from_(std::move(from)) {}

  void add(const CheckpointChunk& chunk) {
    chunks_.push_back(chunk);
    size_ += chunk.length;
  }
  std::uint64_t size() const override { return size_; }
  Result<std::string> read() const override {
    std::string bytes;
    bytes.reserve(size_);
    for (const CheckpointChunk& chunk : chunks_) {
      Status status = read_chunk(*from_->file, from_->path, chunk, from_->checked, bytes);
      if (!status) return status;
    }
    return bytes;
  }

 private:
  std::shared_ptr<const OpenCheckpoint> from_;
  std::vector<CheckpointChunk> chunks_;
  std::uint64_t size_ = 0;
};

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
  if (from.version() >= 3) {
    head.base.epoch = from.number<std::uint64_t>();
    head.base.crc = from.number<std::uint32_t>();
    if (head.base.epoch != 0 && head.base.epoch >= head.epoch)
      from.refuse("it says that it holds the changes of a later epoch");
  }
  problem = from.status();
  if (problem && (hashes != kKeyHashVersion || groups != kKeyGroups)) {
    problem = {Code::state_unreadable,
               fmt::format("\"{}\" spreads keys over {} groups by hashes of version {}, this "
                           "program over {} by version {}: use the program that wrote it ({})",
                           path, groups, hashes, kKeyGroups, kKeyHashVersion, head.program)};
  }
  return head;
}

/// Without its bytes.
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
  return part;
}

class ImageReader {
 public:
  ImageReader(CheckpointReader& from, const CheckpointAccess& access)
      : from_(from), access_(access) {}

  void run(EpochImage& image, std::uint32_t stages) {
    for (auto left = stages; left > 0 && from_.status(); --left) {
      image.stages.emplace_back();
      read_stage(image.stages.back(), image.stages.size() - 1);
    }
    from_.expect_end();
    if (!from_.has_chunks()) return;
    std::ranges::sort(chunks_, {}, [](const NamedChunk& one) { return one.chunk.position; });
    read_chunks(image);
  }
  /// Leaves the bytes of the parts in the file.
  void leave(EpochImage& image, const std::shared_ptr<const OpenCheckpoint>& file) const {
    std::map<const StatePart*, std::shared_ptr<ChunkedBytes>> parts;
    for (const NamedChunk& named : chunks_) {
      auto& bytes = parts[&part_of(image, named)];
      if (!bytes) bytes = std::make_shared<ChunkedBytes>(file);
      bytes->add(named.chunk);
      part_of(image, named).stored = bytes;
    }
  }

 private:
  static StatePart& part_of(EpochImage& image, const NamedChunk& named) {
    return image.stages[named.stage].parts[named.part];
  }

  void read_stage(StageImage& stage, std::size_t number) {
    stage.component = from_.text();
    stage.stage = from_.text();
    stage.task = from_.number<std::uint32_t>();
    stage.tasks = from_.number<std::uint32_t>();
    if (from_.status() && stage.task >= stage.tasks) from_.refuse("a task is one of fewer");
    stage.replayable = from_.number<std::uint8_t>() != 0;
    for (auto left = from_.varint(); left > 0 && from_.status(); --left) {
      std::string partition = from_.text();
      stage.positions.push_back({std::move(partition), from_.text()});
    }
    for (auto left = from_.varint(); left > 0 && from_.status(); --left)
      stage.prepared.push_back(from_.text());
    for (auto left = from_.varint(); left > 0 && from_.status(); --left) {
      stage.parts.push_back(read_part(from_));
      if (!from_.has_chunks()) {
        stage.parts.back().bytes = from_.text();
        tell();
      } else {
        name_chunks(number, stage.parts.size() - 1);
      }
    }
  }
  void name_chunks(std::size_t stage, std::size_t part) {
    std::uint64_t end = 0;
    for (auto left = from_.varint(); left > 0 && from_.status(); --left) {
      CheckpointChunk chunk{from_.varint(), 0};
      const std::uint64_t length = from_.varint();
      chunk.length = static_cast<std::uint32_t>(std::min<std::uint64_t>(length, UINT32_MAX));
      if (!from_.status()) return;
      if (!from_.has(chunk) || chunk.position < end)
        return from_.refuse("a chunk of a part is out of range");
      end = chunk.position + chunk.length;
      chunks_.push_back({chunk, stage, part});
    }
  }
  /// Each chunk belongs to one part: else bytes would be missing in one, or in a wrong one.
  void read_chunks(EpochImage& image) {
    auto named = chunks_.begin();
    while (const auto chunk = from_.next_chunk()) {
      if (named == chunks_.end() || named->chunk.position != chunk->position ||
          named->chunk.length != chunk->length)
        return from_.refuse("its directory does not name this chunk");
      if (!access_.leave_parts) part_of(image, *named).bytes += from_.content();
      ++named;
      tell();
    }
    if (from_.status() && named != chunks_.end())
      from_.refuse("a chunk is missing that its directory names");
  }
  void tell() const {
    if (access_.progress) access_.progress(from_.position(), from_.bytes());
  }

  CheckpointReader& from_;
  const CheckpointAccess& access_;
  std::vector<NamedChunk> chunks_;
};

}  // namespace

ReadCheckpoint read_checkpoint(Disk& disk, const std::string& path,
                               const CheckpointAccess& access) {
  ReadCheckpoint read;
  auto file = disk.open(path, DiskOpen::read);
  read.status = file.error();
  if (!file) return read;
  CheckpointReader from(**file, path, !access.no_checksum);
  CheckpointHead head = read_head(from, path, read.status);
  if (read.status) {
    read.image = {head.epoch, std::move(head.topology), head.taken_at, head.finished, {}};
    ImageReader images(from, access);
    images.run(read.image, head.stages);
    read.status = from.status();
    if (read.status && access.leave_parts) {
      images.leave(read.image, std::make_shared<const OpenCheckpoint>(
                                   OpenCheckpoint{std::move(*file), path, !access.no_checksum}));
    }
  }
  read.damaged = from.damaged();
  read.bytes = from.bytes();
  read.base = head.base;
  read.crc = from.file_crc();
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
