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
  if (!status_) return;
  status_ = file_.write_at(position_, bytes);
  position_ += bytes.size();
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
  const std::uint32_t version = number_at(frame_, kKind.size());
  if (!checksum_fits()) return damage(0, "its first checksum does not fit");
  if (version != kCheckpointVersion) {
    status_ = {Code::state_unreadable,
               fmt::format("\"{}\" has format version {}, this program knows version {}: use the "
                           "program that wrote it, or a later one",
                           path_, version, kCheckpointVersion)};
  }
  used_ = frame_.size();
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
  if (status_ && position_ != size_) damage(position_, "something stands behind its end");
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

}  // namespace millrace::detail
