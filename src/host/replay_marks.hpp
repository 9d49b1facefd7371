// ReplayMarks: which dead letters were replayed, in a small file beside their journal.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/status.hpp"
#include "env/disk.hpp"

namespace millrace::detail {

/// Offsets by topic, as ranges. The journal itself belongs to the run that writes it, which may go
/// on meanwhile.
class ReplayMarks {
 public:
  /// Nothing is marked where there is no file. Errors: 4001, 4004.
  static Result<ReplayMarks> read(Disk& disk, const std::string& folder);

  bool has(const std::string& topic, std::uint64_t offset) const;
  void add(const std::string& topic, std::uint64_t offset);
  /// On return it is durable. Errors: 4002.
  Status write(Disk& disk, const std::string& folder) const;

 private:
  using Ranges = std::map<std::uint64_t, std::uint64_t>;  // first to end
  std::map<std::string, Ranges> ranges_;
};

/// Keeps a second replay of the same folder out as long as it lives. Errors: 4002.
Result<std::unique_ptr<DiskLock>> lock_replays(Disk& disk, const std::string& folder);

}  // namespace millrace::detail
