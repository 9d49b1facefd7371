// Frames to bytes and back.
#include "checkpoint/checkpoint_file.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/byte_codec.hpp"
#include "base/crc32c.hpp"

namespace millrace::detail {
namespace {

constexpr std::string_view kKind = "MRCepoch";
constexpr std::size_t kBeginBytes = 8 + 2 * sizeof(std::uint32_t);
constexpr std::size_t kLengthBytes = sizeof(std::uint32_t);
/// Each write costs a call.
constexpr std::size_t kWriteBytes = 128u << 10;
constexpr std::size_t kCrcBytes = sizeof(std::uint32_t);
/// What a frame is longer than its content.
constexpr std::size_t kFrameExtra = kLengthBytes + kCrcBytes;
/// Where the directory begins, and a checksum.
constexpr std::size_t kTrailerBytes = sizeof(std::uint64_t) + kCrcBytes;

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

Status checkpoint_damage(const std::string& path, std::uint64_t offset, std::string_view what) {
  return {Code::state_unreadable,
          fmt::format("\"{}\" is damaged at byte {}: {}; restore the file from a copy; `millrace "
                      "checkpoints verify` reads them all",
                      path, offset, what)};
}

CheckpointWriter::CheckpointWriter(DiskFile& file) : file_(file) {
  std::string begin(kKind);
  put_number(begin, kCheckpointVersion);
  crc_ = crc32c(begin);
  put_number(begin, crc_);
  write(begin);
  frame_.assign(kLengthBytes, '\0');
}

CheckpointChunk CheckpointWriter::chunk(std::string_view bytes) {
  const CheckpointChunk chunk{position_, static_cast<std::uint32_t>(bytes.size())};
  frame_.append(bytes);
  write_frame();
  return chunk;
}

void CheckpointWriter::varint(std::uint64_t value) {
  std::string bytes;
  put_varint(bytes, value);
  add(bytes);
}

void CheckpointWriter::text(std::string_view bytes) {
  varint(bytes.size());
  add(bytes);
}

void CheckpointWriter::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t room = kFrameBytesMax - (frame_.size() - kLengthBytes);
    const std::string_view part = bytes.substr(0, room);
    frame_.append(part);
    bytes.remove_prefix(part.size());
    if (part.size() == room) write_frame();
  }
}

void CheckpointWriter::end_frame() {
  if (frame_.size() > kLengthBytes) write_frame();
}

Status CheckpointWriter::end() {
  end_frame();
  write_frame();  // the empty one
  std::string trailer;
  put_number(trailer, directory_);
  crc_ = extend_crc32c(crc_, trailer);
  put_number(trailer, crc_);
  write(trailer);
  flush();
  return status_;
}

void CheckpointWriter::write_frame() {
  const auto length = static_cast<std::uint32_t>(frame_.size() - kLengthBytes);
  std::memcpy(frame_.data(), &length, sizeof length);
  crc_ = extend_crc32c(crc_, frame_);
  put_number(frame_, crc_);
  write(frame_);
  frame_.assign(kLengthBytes, '\0');
}

void CheckpointWriter::write(std::string_view bytes) {
  unwritten_ += bytes;
  position_ += bytes.size();
  if (unwritten_.size() >= kWriteBytes) flush();
}

void CheckpointWriter::flush() {
  if (status_) status_ = file_.write_at(position_ - unwritten_.size(), unwritten_);
  unwritten_.clear();
}

CheckpointReader::CheckpointReader(DiskFile& file, std::string path, bool checked)
    : file_(file), path_(std::move(path)), checked_(checked) {
  const auto size = file_.bytes();
  if (!size) {
    status_ = size.error();
    return;
  }
  size_ = *size;
  read_begin();
}

void CheckpointReader::read_begin() {
  if (!read(kBeginBytes)) return;
  if (!frame_.starts_with(kKind)) return damage(0, "it does not begin as a checkpoint does");
  version_ = number_at(frame_, kKind.size());
  if (!checksum_fits()) return damage(0, "its first checksum does not fit");
  used_ = frame_.size();
  if (version_ >= 1 && version_ <= kCheckpointVersion) {
    if (has_chunks()) go_to_directory();
    return;
  }
  status_ = {Code::state_unreadable,
             fmt::format("\"{}\" has format version {}, this program knows versions 1 to {}: use "
                         "the program that wrote it, or a later one",
                         path_, version_, kCheckpointVersion)};
}

/// The checksum before the directory is that of all that stands there.
void CheckpointReader::go_to_directory() {
  if (size_ < kBeginBytes + kFrameExtra + kTrailerBytes) return damage(size_, "it ends too early");
  std::uint64_t directory = 0;
  position_ = frame_at_ = size_ - kTrailerBytes;
  if (!read(kTrailerBytes)) return;
  std::memcpy(&directory, frame_.data(), sizeof directory);
  if (directory < kBeginBytes || directory > size_ - kTrailerBytes - kFrameExtra)
    return damage(size_ - kTrailerBytes, "what it says of its directory is out of range");
  position_ = frame_at_ = directory - kCrcBytes;
  if (!read(kCrcBytes)) return;
  crc_ = number_at(frame_, 0);
  directory_ = frame_at_ = position_;
  frame_.clear();
  used_ = 0;
}

std::uint64_t CheckpointReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = number<unsigned char>();
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return status_.ok() ? value : 0;
  }
  refuse("a number has too many bytes");
  return 0;
}

std::string CheckpointReader::text() {
  std::uint64_t length = varint();
  std::string bytes;
  if (length > size_ - position_ + left().size()) refuse("a text is longer than the file");
  if (!status_) return bytes;
  bytes.reserve(length);
  while (length > 0 && fill()) {
    const std::string_view part = left().substr(0, length);
    bytes.append(part);
    used_ += part.size();
    length -= part.size();
  }
  if (!status_) bytes.clear();
  return bytes;
}

void CheckpointReader::take(char* to, std::size_t count) {
  while (count > 0 && fill()) {
    const std::string_view part = left().substr(0, count);
    std::memcpy(to, part.data(), part.size());
    used_ += part.size();
    to += part.size();
    count -= part.size();
  }
}

void CheckpointReader::refuse(std::string_view what) { damage(frame_at_, what); }

void CheckpointReader::expect_end() {
  if (!status_) return;
  if (!left().empty()) return refuse("more stands there than belongs to a checkpoint");
  if (next_frame()) return refuse("more stands there than belongs to a checkpoint");
  if (!status_) return;
  if (has_chunks()) return expect_trailer();
  if (position_ != size_) damage(position_, "something stands behind its end");
}

/// What is left is read from the first chunk on.
void CheckpointReader::expect_trailer() {
  if (position_ != size_ - kTrailerBytes)
    return damage(position_, "something stands behind its end");
  frame_at_ = position_;
  if (!read(kTrailerBytes)) return;
  if (!checksum_fits()) return damage(frame_at_, "its last checksum does not fit");
  file_crc_ = crc_;
  position_ = frame_at_ = kBeginBytes - kCrcBytes;
  if (!read(kCrcBytes)) return;
  crc_ = number_at(frame_, 0);
  frame_at_ = position_;
  frame_.clear();
  used_ = 0;
}

std::optional<CheckpointChunk> CheckpointReader::next_chunk() {
  if (!status_ || position_ == directory_) return std::nullopt;
  const std::uint64_t position = position_;
  if (!next_frame()) {
    if (status_) refuse("a chunk is empty");
    return std::nullopt;
  }
  if (position_ > directory_) {
    refuse("a chunk goes on in the directory");
    return std::nullopt;
  }
  return CheckpointChunk{position, static_cast<std::uint32_t>(left().size())};
}

bool CheckpointReader::has(const CheckpointChunk& chunk) const {
  return chunk.length > 0 && chunk.length <= kFrameBytesMax && chunk.position >= kBeginBytes &&
         chunk.position < directory_ && chunk.length + kFrameExtra <= directory_ - chunk.position;
}

bool CheckpointReader::fill() {
  if (!status_) return false;
  if (!left().empty()) return true;
  if (next_frame()) return true;
  refuse("it ends too early");
  return false;
}

bool CheckpointReader::next_frame() {
  frame_at_ = position_;
  if (!read(kLengthBytes)) return false;
  const std::uint32_t length = number_at(frame_, 0);
  if (length > kFrameBytesMax) {
    refuse("a length is out of range");
    return false;
  }
  if (!read(length + sizeof crc_)) return false;
  if (!checksum_fits()) {
    refuse("the checksum does not fit the content");
    return false;
  }
  used_ = kLengthBytes;
  return length > 0;
}

/// Of what read() has brought since the last one: the last four bytes, which it takes away.
bool CheckpointReader::checksum_fits() {
  const std::size_t content = frame_.size() - sizeof crc_;
  const std::uint32_t stored = number_at(frame_, content);
  frame_.resize(content);
  crc_ = extend_crc32c(crc_, frame_);
  return crc_ == stored || !checked_;
}

/// Appends to the frame; the first read of a frame replaces the one before.
bool CheckpointReader::read(std::size_t count) {
  if (position_ == frame_at_) frame_.clear();
  const std::size_t before = frame_.size();
  if (count > size_ - position_) {
    damage(size_, "it ends too early");
    return false;
  }
  frame_.resize(before + count);
  const auto got = file_.read_at(position_, frame_.data() + before, count);
  if (!got) {
    status_ = got.error();
    frame_.clear();
    used_ = 0;
    return false;
  }
  if (*got != count) {
    damage(position_ + *got, "it ends too early");
    return false;
  }
  position_ += count;
  return true;
}

void CheckpointReader::damage(std::uint64_t offset, std::string_view what) {
  if (status_) {
    status_ = checkpoint_damage(path_, offset, what);
    damaged_ = true;
  }
  frame_.clear();
  used_ = 0;
}

Status read_chunk(DiskFile& file, const std::string& path, const CheckpointChunk& chunk,
                  bool checked, std::string& to) {
  const std::size_t before = to.size();
  // In front of its frame stands the checksum that its own goes on from.
  std::string around(kCrcBytes + kLengthBytes, '\0');
  std::string behind(kCrcBytes, '\0');
  to.resize(before + chunk.length);
  const std::uint64_t content = chunk.position + kLengthBytes;
  const auto read = [&file](std::uint64_t at, char* bytes, std::size_t count) -> Result<bool> {
    const auto got = file.read_at(at, bytes, count);
    if (!got) return got.error();
    return *got == count;
  };
  Result<bool> whole = read(chunk.position - kCrcBytes, around.data(), around.size());
  if (whole && *whole) whole = read(content, to.data() + before, chunk.length);
  if (whole && *whole) whole = read(content + chunk.length, behind.data(), behind.size());
  if (!whole) return whole.error();
  if (!*whole) return checkpoint_damage(path, chunk.position, "it ends too early");
  std::uint32_t crc = number_at(around, 0);
  crc = extend_crc32c(crc, std::string_view(around).substr(kCrcBytes));
  crc = extend_crc32c(crc, std::string_view(to).substr(before));
  if (!checked || crc == number_at(behind, 0)) return {};
  return checkpoint_damage(path, chunk.position, "the checksum does not fit the content");
}

}  // namespace millrace::detail
