// A simulated clock, files and a disk in memory, whose faults are drawn from a seed.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "env/env.hpp"
#include "env/random.hpp"
#include "env/sim_disk.hpp"

namespace millrace::detail {

/// A clock that stands still until it is advanced. Any thread.
class SimClock final : public Clock {
 public:
  /// `start` is the wall time at steady_ns() == 0.
  explicit SimClock(Time start = 0) : start_(start) {}
  std::int64_t steady_ns() override { return now_ns_.load(std::memory_order_acquire); }
  Time wall_us() override { return start_ + steady_ns() / 1000; }
  /// Moves both readings on; `by` >= 0.
  void advance(std::chrono::nanoseconds by) {
    now_ns_.fetch_add(by.count(), std::memory_order_acq_rel);
  }

 private:
  const Time start_;
  std::atomic<std::int64_t> now_ns_{0};
};

/// What goes wrong with simulated files; the default is nothing.
struct SimFaults {
  std::uint64_t seed = 0;
  bool short_reads = false;     ///< a read returns between 1 and all of the bytes it could
  double not_ready_chance = 0;  ///< a read returns kNotReady instead, as pipes do; [0, 1)
  std::optional<std::uint64_t> read_fails_at =
      std::nullopt;  ///< reading the byte at this offset gives 4001
  std::optional<std::uint64_t> space_bytes =
      std::nullopt;  ///< bytes that all files may take by writing; beyond: 4002
};

/// Files in memory. Any thread; a reader sees the content as it was when it was opened.
class SimFiles final : public Files {
 public:
  explicit SimFiles(SimFaults faults = {}) : faults_(faults), random_(faults.seed) {}

  /// Creates or replaces a file. "-" is what standard input holds.
  void put(const std::string& path, std::string content);
  /// What the file holds now; nullopt when there is none. "-" is what was written to standard
  /// output.
  std::optional<std::string> content(const std::string& path) const;

  /// Says what space() answers for a path.
  void put_space(const std::string& path, DiskSpace space);

  Result<std::unique_ptr<ByteReader>> open_read(const std::string& path) override;
  Result<std::unique_ptr<ByteWriter>> open_write(const std::string& path, bool append) override;
  /// Of the files that were put; * and ? match anything but '/'.
  Result<std::vector<std::string>> list(const std::string& pattern) override;
  /// Refused: simulated files do not grow.
  Result<std::unique_ptr<ByteReader>> follow(const std::string& path) override;
  Result<DiskSpace> space(const std::string& path) override;

 private:
  friend class SimWriter;
  using Contents = std::map<std::string, std::shared_ptr<const std::string>>;
  Status append_to(const std::string& path, std::string_view bytes);

  const SimFaults faults_;
  mutable std::mutex mutex_;
  Random random_;                               // guarded by mutex_, as all below
  Contents inputs_;                             // put by the test
  std::map<std::string, std::string> outputs_;  // written by the run
  std::map<std::string, DiskSpace> spaces_;
  std::uint64_t written_bytes_ = 0;
};

/// Processors that do what the test says; at first two that nobody else uses. Any thread.
class SimCpus final : public Cpus {
 public:
  CpuUse use() override {
    const std::lock_guard lock(mutex_);
    return use_;
  }
  std::int64_t this_thread() override { return 0; }
  std::int64_t kept_waiting_ns(std::int64_t) override { return 0; }
  void set(const CpuUse& use) {
    const std::lock_guard lock(mutex_);
    use_ = use;
  }

 private:
  std::mutex mutex_;
  CpuUse use_{.processors = 2, .quota = 2};  // guarded by mutex_
};

/// A whole simulated environment: clock, files, disk and seed together. Outlives what uses env().
class SimEnv {
 public:
  /// `start`: the wall time at the beginning.
  explicit SimEnv(std::uint64_t seed, SimFaults faults = {}, Time start = 0)
      : clock(start),
        files(faults),
        disk(seed),
        env_{&clock, &files, seed, &cpus, nullptr, &disk} {}
  SimEnv(const SimEnv&) = delete;
  SimEnv& operator=(const SimEnv&) = delete;
  Env& env() { return env_; }

  SimClock clock;
  SimFiles files;
  SimCpus cpus;
  SimDisk disk;

 private:
  Env env_;
};

}  // namespace millrace::detail
