// The face of `env`: the one door to clock, randomness, files, peers and threads, real or not.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace::detail {

class Disk;  // env/disk.hpp

/// A clock. Both readings may be called by any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Nanoseconds of a monotonic clock with an arbitrary origin.
  virtual std::int64_t steady_ns() = 0;
  /// Wall clock, microseconds since 1970.
  virtual Time wall_us() = 0;
};

/// Bytes read in order. One thread.
class ByteReader {
 public:
  virtual ~ByteReader() = default;
  /// Reads up to `capacity` bytes into `buffer`. 0 at the end of input. A reader of a pipe or
  /// terminal may return kNotReady when nothing is there yet (never for plain files). Errors: 4001
  /// with path and reason; 4004 for damaged compressed input.
  virtual Result<std::size_t> read(char* buffer, std::size_t capacity) = 0;
  static constexpr std::size_t kNotReady = static_cast<std::size_t>(-1);
};

/// Bytes written in order. One thread.
class ByteWriter {
 public:
  virtual ~ByteWriter() = default;
  /// Writes all of `bytes`. Errors: 4002; 4005 when the reader of a pipe is gone.
  virtual Status write(std::string_view bytes) = 0;
  virtual Status flush() = 0;
  /// Ends the output; nothing is written behind. What cannot be told before is told here.
  virtual Status close() { return {}; }
  /// Any thread: a write that waits for room, now or later, waits no longer and gives 4002.
  virtual void give_up() {}
};

/// Space of the file system that a path lies in.
struct DiskSpace {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
  std::uint64_t available_bytes = 0;  ///< of the free ones, to this user
};

/// Files by path; "-" is standard input or output.
class Files {
 public:
  virtual ~Files() = default;
  virtual Result<std::unique_ptr<ByteReader>> open_read(const std::string& path) = 0;
  /// Creates or truncates; appends when `append`.
  virtual Result<std::unique_ptr<ByteWriter>> open_write(const std::string& path, bool append) = 0;
  /// The files that `pattern` means, in the order of their names: with *, ? or [ the files that
  /// match (folders do not), else the path itself. Errors: 4001 when none matches.
  virtual Result<std::vector<std::string>> list(const std::string& pattern) = 0;
  /// Reads a file that grows: at its end kNotReady instead of 0. When the file is renamed and made
  /// anew, the old one is read to its end first; when it is emptied in place, from its begin.
  virtual Result<std::unique_ptr<ByteReader>> follow(const std::string& path) = 0;
  /// Errors: 4001 when the path does not exist or its file system does not say.
  virtual Result<DiskSpace> space(const std::string& path) = 0;
};

/// Waits for others to connect. One thread.
class Listener {
 public:
  virtual ~Listener() = default;
  /// The next client that has connected; null when there is none now.
  virtual Result<std::unique_ptr<ByteReader>> accept() = 0;
};

/// Sockets and child processes. An address is "HOST:PORT" or "unix:PATH"; HOST may be "[::1]". No
/// call waits longer than five seconds, except writes, which wait for the reader.
class Peers {
 public:
  virtual ~Peers() = default;
  virtual Result<std::unique_ptr<ByteReader>> connect_read(const std::string& address) = 0;
  virtual Result<std::unique_ptr<ByteWriter>> connect_write(const std::string& address) = 0;
  virtual Result<std::unique_ptr<Listener>> listen(const std::string& address) = 0;
  /// Writes to every client that is connected. A client that is more than four MiB behind is
  /// disconnected, and said so to `log`.
  virtual Result<std::unique_ptr<ByteWriter>> listen_write(const std::string& address, Log log) = 0;
  /// What a shell command prints; its standard input is empty, its messages go where ours go. It
  /// fails with 4001 when the command does. The command is ended when the reader goes.
  virtual Result<std::unique_ptr<ByteReader>> exec_read(const std::string& command) = 0;
  /// Writes to a shell command's standard input; close() waits for its end.
  virtual Result<std::unique_ptr<ByteWriter>> exec_write(const std::string& command) = 0;
};

/// What the processors of the machine have done since some moment long ago.
struct CpuUse {
  double processors = 1;     ///< how many this process may run on
  double quota = 1;          ///< how many it may use at once; at most `processors`
  std::int64_t busy_ns = 0;  ///< computing time of everybody on these processors
  std::int64_t own_ns = 0;   ///< of it, that of this process
};

/// The processors. Any thread.
class Cpus {
 public:
  virtual ~Cpus() = default;
  virtual CpuUse use() = 0;
  /// The calling thread's number, for kept_waiting_ns().
  virtual std::int64_t this_thread() = 0;
  /// How long that thread was ready to run while others ran, ever; 0 where nobody counts it.
  virtual std::int64_t kept_waiting_ns(std::int64_t thread) = 0;
};

/// The doors of one process (or of one simulated run). Outlives everything that uses it.
struct Env {
  Clock* clock = nullptr;
  Files* files = nullptr;
  std::uint64_t seed = 0;  ///< every random choice is drawn from it
  Cpus* cpus = nullptr;
  Peers* peers = nullptr;  ///< null in a simulation
  Disk* disk = nullptr;    ///< of what must survive a crash: journals
};

/// The machine's own clock, files and a seed from the system.
Env& real_env();

}  // namespace millrace::detail
