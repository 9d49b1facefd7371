// Disk: files that survive a crash, with the calls that make them durable; the journal's door.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace millrace::detail {

/// A file read and written by position. Any thread; writes of one range are the caller's to order.
class DiskFile {
 public:
  virtual ~DiskFile() = default;
  /// Reads `bytes` bytes at `position`; fewer only at the end of the file. Errors: 4001.
  virtual Result<std::size_t> read_at(std::uint64_t position, char* buffer, std::size_t bytes) = 0;
  /// Writes all of `bytes`; on an error a part of them may be there. Errors: 4002.
  virtual Status write_at(std::uint64_t position, std::string_view bytes) = 0;
  /// Returns when content and size are on the device (fdatasync). After an error nothing is known
  /// of what was written since the last success, and a later success says nothing about it.
  virtual Status sync() = 0;
  /// Cuts or extends with zeros; durable after sync(). Errors: 4002.
  virtual Status truncate(std::uint64_t bytes) = 0;
  virtual Result<std::uint64_t> bytes() = 0;
};

/// Holds a lock until it goes; a killed process holds none.
class DiskLock {
 public:
  virtual ~DiskLock() = default;
};

enum class DiskOpen {
  read,    ///< must exist
  write,   ///< must exist; its content stays
  create,  ///< made, or emptied; the name is durable after sync_folder() of its folder
};

/// Files and folders by path, '/' between names. Any thread.
class Disk {
 public:
  virtual ~Disk() = default;
  /// Errors: 4001 to read, 4002 to write.
  virtual Result<std::unique_ptr<DiskFile>> open(const std::string& path, DiskOpen how) = 0;
  /// Replaces what `to` named, at once; durable after sync_folder(). Errors: 4002.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  /// A file; durable after sync_folder(). Errors: 4002.
  virtual Status remove(const std::string& path) = 0;
  /// Ok when it exists already. Errors: 4002.
  virtual Status make_folder(const std::string& path) = 0;
  /// The names in a folder, sorted, without "." and "..". Errors: 4001.
  virtual Result<std::vector<std::string>> list_folder(const std::string& path) = 0;
  /// Makes the names in a folder durable. Errors: 4002.
  virtual Status sync_folder(const std::string& path) = 0;
  virtual bool exists(const std::string& path) = 0;
  /// Takes the lock of a file, which is made when it is not there. Errors: 3005 when another
  /// process, or this one, holds it; 4002.
  virtual Result<std::unique_ptr<DiskLock>> lock(const std::string& path) = 0;
};

/// The machine's own disks.
Disk& real_disk();

}  // namespace millrace::detail
