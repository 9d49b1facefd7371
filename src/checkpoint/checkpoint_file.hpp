// The bytes of a checkpoint: frames, each with a checksum over all that stands before it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "env/disk.hpp"

namespace millrace::detail {

inline constexpr std::uint32_t kCheckpointVersion = 1;
/// Of a frame's content: what reading and writing hold beside the image.
inline constexpr std::uint32_t kFrameBytesMax = 1u << 20;

/// Errors of what lies on disk: 3003 with file and offset.
Status checkpoint_damage(const std::string& path, std::uint64_t offset, std::string_view what);

/// Writes values one behind the other. After a failure it does nothing more. One thread.
class CheckpointWriter {
 public:
  /// `file` is empty and outlives it.
  explicit CheckpointWriter(DiskFile& file);

  template <class N>
  void number(N value) {
    add({reinterpret_cast<const char*>(&value), sizeof value});
  }
  void varint(std::uint64_t value);
  /// Its length as a varint, then the bytes.
  void text(std::string_view bytes);
  /// What follows begins in a frame of its own.
  void end_frame();
  /// Behind the last value. Errors: 4002, of any call.
  Status end();
  std::uint64_t bytes() const { return position_; }

 private:
  void add(std::string_view bytes);
  void write_frame();
  void write(std::string_view bytes);

  DiskFile& file_;
  std::string frame_;  // its length, content and, at the end, checksum
  std::uint64_t position_ = 0;
  std::uint32_t crc_ = 0;
  Status status_;
};

/// Reads what a CheckpointWriter wrote. Any bytes may come: after the first that do not fit it
/// gives zeros and empty texts, and status() says why. One thread.
class CheckpointReader {
 public:
  /// `file` outlives it. Unsafe, for tests of the tests: not `checked`, checksums are not compared.
  CheckpointReader(DiskFile& file, std::string path, bool checked = true);

  template <class N>
  N number() {
    N value{};
    take(reinterpret_cast<char*>(&value), sizeof value);
    return status_.ok() ? value : N{};
  }
  std::uint64_t varint();
  std::string text();
  /// Values have been read and make no sense.
  void refuse(std::string_view what);
  /// All values have been read: nothing more may stand there.
  void expect_end();
  /// Errors: 3003, 4001.
  const Status& status() const { return status_; }
  /// The bytes are not those that were written; false for another version and for a disk that
  /// cannot be read.
  bool damaged() const { return damaged_; }
  /// Of the whole file.
  std::uint64_t bytes() const { return size_; }
  /// Read so far.
  std::uint64_t position() const { return position_; }

 private:
  void read_begin();
  /// Makes at least one byte of content ready; false: there is none, and status() says why.
  bool fill();
  /// Reads the next frame; false at the end and on failure.
  bool next_frame();
  bool read(std::size_t count);
  bool checksum_fits();
  void take(char* to, std::size_t count);
  void damage(std::uint64_t offset, std::string_view what);
  std::string_view left() const { return std::string_view(frame_).substr(used_); }

  DiskFile& file_;
  std::string path_;
  bool checked_;
  std::uint64_t size_ = 0;      // of the file
  std::uint64_t position_ = 0;  // behind what has been read of it
  std::uint64_t frame_at_ = 0;  // where the frame that is read begins
  std::string frame_;
  std::size_t used_ = 0;  // of frame_
  std::uint32_t crc_ = 0;
  Status status_;
  bool damaged_ = false;
};

}  // namespace millrace::detail
