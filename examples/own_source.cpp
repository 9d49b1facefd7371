// A source of one's own with two partitions, and windows over its event time.
#include <cstdint>
#include <memory>

#include "millrace/millrace.hpp"

using namespace millrace;

struct Reading {
  Timestamp time;
  std::int64_t sensor = 0;
  std::int64_t value = 0;
};

/// Sixty readings of each of two sensors, one a second; a sensor is a partition.
class Sensors final : public Source {
 public:
  Status open(const EndContext& context) override {
    reads_ = context.task == 0;  // declared with one task; another would have nothing to read
    batch_records_max_ = context.batch_records_max;
    return {};
  }
  std::uint32_t partitions() const override { return reads_ ? kSensors : 0; }

  Result<Poll> poll(BatchBase& base) override {
    if (!reads_ || sensor_ == kSensors) return Poll::ended;
    auto& batch = static_cast<Batch<Reading>&>(base);
    batch.partition = sensor_;
    batch.offset = static_cast<std::uint64_t>(second_);
    while (second_ < kSeconds && batch.values.size() < batch_records_max_) {
      batch.values.push_back({Timestamp{second_ * 1'000'000}, sensor_, second_ + sensor_});
      ++second_;
      ++read_;
    }
    if (second_ < kSeconds) return Poll::ready;
    second_ = 0;
    return ++sensor_ == kSensors ? Poll::ended : Poll::partition_ended;
  }
  std::uint64_t records_read() const override { return read_; }

 private:
  static constexpr std::uint32_t kSensors = 2;
  static constexpr std::int64_t kSeconds = 60;
  bool reads_ = false;
  std::size_t batch_records_max_ = 0;
  std::uint32_t sensor_ = 0;
  std::int64_t second_ = 0;
  std::uint64_t read_ = 0;
};

int main(int argc, char** argv) {
  Topology topology("own source");
  topology.from(SourceOf<Reading>{"sensors", "", 1, [] { return std::make_unique<Sensors>(); }})
      .event_time(&Reading::time)
      .key_by(&Reading::sensor)
      .window(tumbling(30s))
      .sum(&Reading::value)
      .named("sums")
      .to(print());
  return run(topology, argc, argv);
}
