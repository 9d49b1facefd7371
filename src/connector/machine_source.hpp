// MachineSource: what the machine it runs on is doing, measured again and again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "connector/machine_reading.hpp"
#include "operator/source.hpp"

namespace millrace {

struct MachineOptions {
  /// Time between two measurements, greater than 0.
  Duration interval = std::chrono::seconds(1);
};

namespace detail {

/// Fills Batch<MachineReading> with one round of measurements each interval, by the clock and the
/// files of its environment. What a machine does not have is left out: no pressure before
/// Linux 4.20, no /proc at all elsewhere.
///
/// Shares and rates are of the time since the round before, so the first round has none of them.
/// Errors: 2010 for an interval of 0 or less; 4001 when neither /proc/stat nor /proc/meminfo can be
/// read.
class MachineSource final : public Source {
 public:
  explicit MachineSource(MachineOptions options) : options_(options) {}

  Status open(const EndContext& context) override;
  Result<Poll> poll(BatchBase& batch) override;
  std::uint64_t records_read() const override { return read_; }

 private:
  struct Counters {
    std::int64_t ns = 0;
    std::map<std::string, CpuTimes> cpu;
    std::map<std::string, NetworkBytes> network;
  };
  class Round;

  /// The text of a file; empty when it cannot be read.
  std::string read(const std::string& path) const;
  void measure_cpu(Round& round, Counters& now) const;
  void measure_memory(Round& round) const;
  void measure_disks(Round& round) const;
  void measure_network(Round& round, Counters& now) const;
  void measure_pressure(Round& round) const;

  MachineOptions options_;
  Env* env_ = nullptr;
  Counters before_;
  std::int64_t next_ns_ = 0;
  std::uint64_t read_ = 0;
};

}  // namespace detail
}  // namespace millrace
