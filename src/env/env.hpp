// The face of `env`: the one door to clock, randomness, files and threads, real or simulated.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace::detail {

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
};

/// Files by path; "-" is standard input or output.
class Files {
 public:
  virtual ~Files() = default;
  virtual Result<std::unique_ptr<ByteReader>> open_read(const std::string& path) = 0;
  /// Creates or truncates; appends when `append`.
  virtual Result<std::unique_ptr<ByteWriter>> open_write(const std::string& path, bool append) = 0;
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
};

/// The machine's own clock, files and a seed from the system.
Env& real_env();

}  // namespace millrace::detail
