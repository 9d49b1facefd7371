// The machine's disks by pread(2), pwrite(2) and fdatasync(2).
#pragma once

#include "env/disk.hpp"

namespace millrace::detail {

/// Calls that were interrupted or cut short are continued. A file opened for writing belongs to
/// one process: see lock(), an flock(2).
class PosixDisk final : public Disk {
 public:
  Result<std::unique_ptr<DiskFile>> open(const std::string& path, DiskOpen how) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status make_folder(const std::string& path) override;
  Result<std::vector<std::string>> list_folder(const std::string& path) override;
  Status sync_folder(const std::string& path) override;
  bool exists(const std::string& path) override;
  Result<std::unique_ptr<DiskLock>> lock(const std::string& path) override;
};

}  // namespace millrace::detail
