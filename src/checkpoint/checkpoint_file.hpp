// The bytes of a checkpoint: frames, each with a checksum over all that stands before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "env/disk.hpp"

namespace millrace::detail {

/// Of files that are written; those of earlier versions are read.
inline constexpr std::uint32_t kCheckpointVersion = 3;
/// Of a frame's content: what reading and writing hold beside the image.
inline constexpr std::uint32_t kFrameBytesMax = 1u << 20;

/// Errors of what lies on disk: 3003 with file and offset.
Status checkpoint_damage(const std::string& path, std::uint64_t offset, std::string_view what);

/// Bytes that have a frame of their own.
struct CheckpointChunk {
  std::uint64_t position = 0;  ///< of the frame in the file
  std::uint32_t length = 0;    ///< of the content, 1..kFrameBytesMax
};

/// Writes chunks, then the values of the directory one behind the other. After a failure it does
/// nothing more. One thread.
class CheckpointWriter {
 public:
  /// `file` is empty and outlives it.
  explicit CheckpointWriter(DiskFile& file);

  /// Before the first value: `bytes` as one chunk, of which there are 1..kFrameBytesMax.
  CheckpointChunk chunk(std::string_view bytes);
  /// Behind the last chunk.
  void begin_directory() { directory_ = position_; }

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
  /// Of any call so far. Errors: 4002.
  const Status& status() const { return status_; }
  std::uint64_t bytes() const { return position_; }
  /// Of all in the file, behind end().
  std::uint32_t crc() const { return crc_; }

 private:
  void add(std::string_view bytes);
  void write_frame();
  void write(std::string_view bytes);
  void flush();

  DiskFile& file_;
  std::string frame_;            // its length, content and, at the end, checksum
  std::string unwritten_;        // small frames, for a write together
  std::uint64_t position_ = 0;   // behind all, the unwritten ones too
  std::uint64_t directory_ = 0;  // where it begins
  std::uint32_t crc_ = 0;
  Status status_;
};

/// Reads what a CheckpointWriter wrote. Any bytes may come: after the first that do not fit it
/// gives zeros and empty texts, and status() says why. Values are those of the directory; of a file
/// of version 1 those of all frames. One thread.
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
  /// Of the file: 1 to kCheckpointVersion.
  std::uint32_t version() const { return version_; }
  /// Behind expect_end(), of a file that has chunks: reads the next chunk, from the first one on;
  /// nullopt: there is none, or status() says why.
  std::optional<CheckpointChunk> next_chunk();
  /// Of the chunk that was read last.
  std::string_view content() const { return left(); }
  /// A chunk can be where it is said to be.
  bool has(const CheckpointChunk& chunk) const;
  /// Errors: 3003, 4001.
  const Status& status() const { return status_; }
  /// The bytes are not those that were written; false for another version and for a disk that
  /// cannot be read.
  bool damaged() const { return damaged_; }
  /// Of the whole file.
  std::uint64_t bytes() const { return size_; }
  /// The file has chunks and a directory.
  bool has_chunks() const { return version_ >= 2; }
  /// The last checksum, behind expect_end() of a file that has chunks.
  std::uint32_t file_crc() const { return file_crc_; }
  /// Read so far.
  std::uint64_t position() const { return position_; }

 private:
  void read_begin();
  /// From where the end of the file says that it begins.
  void go_to_directory();
  void expect_trailer();
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
  std::uint32_t version_ = 0;
  std::uint64_t size_ = 0;       // of the file
  std::uint64_t directory_ = 0;  // where it begins
  std::uint64_t position_ = 0;   // behind what has been read of it
  std::uint64_t frame_at_ = 0;   // where the frame that is read begins
  std::string frame_;
  std::size_t used_ = 0;  // of frame_
  std::uint32_t crc_ = 0;
  std::uint32_t file_crc_ = 0;
  Status status_;
  bool damaged_ = false;
};

/// Reads the content of a chunk behind `to`, of a file of which all checksums have fitted. Any
/// thread. Errors: 3003, 4001.
Status read_chunk(DiskFile& file, const std::string& path, const CheckpointChunk& chunk,
                  bool checked, std::string& to);

}  // namespace millrace::detail
