// The machine's own clock and files.
#pragma once

#include "env/env.hpp"

namespace millrace::detail {

/// CLOCK_MONOTONIC and CLOCK_REALTIME. Any thread.
class PosixClock final : public Clock {
 public:
  std::int64_t steady_ns() override;
  Time wall_us() override;
};

/// Files by read(2) and write(2), unbuffered. Any thread may open; each reader and writer belongs
/// to one thread.
///
/// Pipes, terminals and devices are asked before they are read, so that a read returns kNotReady
/// instead of waiting. Writing to a pipe without reader gives 4005 and raises no SIGPIPE.
/// Directories are refused. A file that shrinks while it is read gives 4001.
class PosixFiles final : public Files {
 public:
  Result<std::unique_ptr<ByteReader>> open_read(const std::string& path) override;
  Result<std::unique_ptr<ByteWriter>> open_write(const std::string& path, bool append) override;
  Result<std::vector<std::string>> list(const std::string& pattern) override;
  Result<std::unique_ptr<ByteReader>> follow(const std::string& path) override;
  Result<DiskSpace> space(const std::string& path) override;
};

}  // namespace millrace::detail
