// SpillPlace: where the rows of a task go that memory has no room for, and what is told of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "base/memory_meter.hpp"
#include "env/disk_table.hpp"

namespace millrace::detail {

/// The disk takes or gives nothing; ends the run.
class DiskFailed : public std::runtime_error {
 public:
  explicit DiskFailed(const Status& status)
      : std::runtime_error(status.message()), code_(status.code()) {}
  Code code() const { return code_; }

 private:
  Code code_;
};

/// What a task tells of its rows on disk. Written by its thread, read by any.
struct SpillFigures {
  std::atomic<std::uint64_t> keys{0};    ///< on disk; about: some of them may be over
  std::atomic<std::uint64_t> bytes{0};   ///< that they take there, about
  std::atomic<std::uint64_t> hits{0};    ///< look-ups that found the row in memory
  std::atomic<std::uint64_t> misses{0};  ///< look-ups that brought it from disk
};

struct SpillPlace {
  DiskTables* tables = nullptr;
  std::string folder = {};             ///< of this task alone
  const MemoryMeter* state = nullptr;  ///< counts the keyed state of the run
  std::uint64_t state_max_bytes = 0;   ///< beyond that rows go to disk
  SpillFigures* figures = nullptr;
  /// Counts what rows that came back leave for an image that waits for its disk; null: nobody does.
  MemoryMeter* copies = nullptr;
};

/// An operator whose rows may lie on disk.
class Spills {
 public:
  virtual ~Spills() = default;
  /// Once, behind open() and before anything else; what `place` points to outlives the operator.
  virtual void spill_to(const SpillPlace& place) = 0;
};

}  // namespace millrace::detail
