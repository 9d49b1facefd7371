// W3, latency: events at a fixed rate through map, key_by and a running count, timed from when each
// was due.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "flat_map.hpp"
#include "hand_off.hpp"
#include "millrace/topology.hpp"
#include "open_loop.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

/// The bars: a hop of the engine against one by hand with a sleeping receiver, and the median where
/// others take two thirds of every processor.
constexpr double kToFutexMax = 2;
constexpr double kLoadedP50UsMax = 1000;

class OpenLoop : public Spout<Tick> {
 public:
  explicit OpenLoop(Schedule schedule) : schedule_(schedule) {}
  void open(TaskContext&) override { schedule_.start(); }
  bool next(Output<Tick>& out) override {
    if (schedule_.done()) return false;
    if (schedule_.is_due()) out.emit(schedule_.take());
    return true;
  }

 private:
  Schedule schedule_;
};

Answer run_by_engine(std::uint64_t rate, std::uint64_t records, unsigned threads,
                     bool auto_executors) {
  Recorder recorder(records);
  Topology topology("latency");
  topology.spout("ticks", OpenLoop(Schedule(rate, records)))
      .map(keyed)
      .key_by(&KeyedTick::key)
      .fold(Seen{}, count_tick)
      .to(each([&recorder](const Aggregate<std::uint32_t, Seen>& row) {
        recorder.take(row.key, row.value);
      }));
  std::string failure = run_engine(topology, threads, auto_executors);
  Answer answer = std::move(recorder).answer();
  answer.failure = std::move(failure);
  return answer;
}

Answer run_by_hand(std::uint64_t rate, std::uint64_t records) {
  Recorder recorder(records);
  FlatMap<std::uint32_t, Seen, 4> counts;
  Schedule schedule(rate, records);
  schedule.start();
  while (!schedule.done()) {
    if (!schedule.is_due()) continue;
    const KeyedTick tick = keyed(schedule.take());
    Seen& seen = counts[tick.key];
    count_tick(seen, tick);
    recorder.take(tick.key, seen);
  }
  return std::move(recorder).answer();
}

/// What a hop between two threads costs without an engine, in the same run.
void add_hand_offs(Workload& workload, std::uint64_t rate, std::uint64_t records) {
  const auto by = [=](HandOff kind) {
    return [=] { return run_by_hand_off(rate, records, kind); };
  };
  workload.extras.push_back({"hand_off_futex", by(HandOff::futex), {}});
  workload.extras.push_back({"hand_off_spinning", by(HandOff::spinning), {}});
  workload.figures = [](const Outcome& outcome) {
    const auto ratio = [&](const Medians& hand) {
      return outcome.engine.latency_us_p50 / std::max(hand.latency_us_p50, 1e-3);
    };
    return std::vector<Figure>{{"p50_to_futex", ratio(outcome.extras[0]), 0, kToFutexMax},
                               {"p50_to_spinning", ratio(outcome.extras[1]), 0, 0}};
  };
}

}  // namespace

Workload latency_workload(const Settings& settings) {
  const std::uint64_t rate = settings.rate;
  const std::uint64_t records =
      settings.records != 0
          ? settings.records
          : static_cast<std::uint64_t>(static_cast<double>(rate) * settings.seconds);
  Workload workload;
  workload.name = "latency";
  workload.unit = "events";
  workload.is_latency = true;
  workload.engine = [rate, records, by_load = settings.auto_executors](unsigned threads) {
    return run_by_engine(rate, records, threads, by_load);
  };
  workload.limit = [rate, records] { return run_by_hand(rate, records); };
  if (settings.with_load > 0) {
    workload.figures = [](const Outcome& outcome) {
      return std::vector<Figure>{{"p50_us", outcome.engine.latency_us_p50, 0, kLoadedP50UsMax}};
    };
  } else if (settings.threads > 1) {
    add_hand_offs(workload, rate, records);
  }
  return workload;
}

}  // namespace millrace::bench
