// open-windows: records spread over 1 to 1,000 open windows: what a record costs must not follow.
#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <vector>

#include "flat_map.hpp"
#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

constexpr std::uint32_t kKeys = 1'000;
constexpr std::int64_t kWindowUs = 1'000'000;
constexpr std::uint32_t kOpen[] = {1, 10, 100, 1'000};

struct Event {
  std::uint32_t key;
  double value;
  Timestamp time;
};

/// Event `index`: ten thousand a second, each up to `open` windows late.
inline Event event_of(std::uint64_t index, std::uint32_t open) {
  const std::uint64_t word = mix(index + 1);
  const std::uint64_t late = (word >> 32) * (open - 1) * kWindowUs >> 32;
  return {static_cast<std::uint32_t>(((word & 0xffffffff) * kKeys) >> 32),
          static_cast<double>(index & 1023),
          Timestamp{static_cast<std::int64_t>(index * 100) - static_cast<std::int64_t>(late)}};
}

std::uint64_t row_sum(std::int64_t window_start, std::uint32_t key, double sum) {
  return mix(mix(static_cast<std::uint64_t>(window_start) ^ (std::uint64_t{key} << 40)) +
             static_cast<std::uint64_t>(sum));
}

Answer run_by_engine(std::uint64_t records, std::uint32_t open, unsigned threads) {
  Answer answer;
  answer.records = records;
  Topology topology("open-windows");
  topology.from(generate(records, [open](std::uint64_t index) { return event_of(index, open); }))
      .event_time(&Event::time, {.out_of_order = Duration((open - 1) * kWindowUs)})
      .key_by(&Event::key)
      .window(tumbling(Duration(kWindowUs)))
      .sum(&Event::value)
      .to(each([&answer](const Aggregate<std::uint32_t, double>& row) {
        answer.checksum += row_sum(row.window_start, row.key, row.value);
      }));
  answer.failure = run_engine(topology, threads);
  return answer;
}

/// A map a window; windows that are over are fired.
Answer run_by_hand(std::uint64_t records, std::uint32_t open) {
  Answer answer;
  answer.records = records;
  using Sums = FlatMap<std::uint32_t, double, 2>;
  std::map<std::int64_t, Sums> windows;
  std::int64_t newest = kTimeMin;
  const auto fire = [&](std::int64_t watermark) {
    while (!windows.empty() && windows.begin()->first + kWindowUs <= watermark) {
      const std::int64_t start = windows.begin()->first;
      windows.begin()->second.for_each(
          [&](std::uint32_t key, double sum) { answer.checksum += row_sum(start, key, sum); });
      windows.erase(windows.begin());
    }
  };
  for (std::uint64_t index = 0; index < records; ++index) {
    const Event event = event_of(index, open);
    std::int64_t start = event.time.micros - event.time.micros % kWindowUs;
    if (start > event.time.micros) start -= kWindowUs;
    windows[start][event.key] += event.value;
    if (event.time.micros > newest) {
      newest = event.time.micros;
      fire(newest - (open - 1) * kWindowUs);
    }
  }
  fire(kTimeMax);
  return answer;
}

/// How much more a record costs in the last of the runs than in the one `from`.
double growth(const std::vector<Medians>& runs, std::size_t from, std::size_t to) {
  return runs[from].rate_per_cpu / runs[to].rate_per_cpu;
}

}  // namespace

Workload open_windows_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 10'000'000;
  Workload workload;
  workload.name = "open-windows";
  workload.unit = "events";
  workload.engine = [=](unsigned threads) { return run_by_engine(records, kOpen[0], threads); };
  workload.limit = [=] { return run_by_hand(records, kOpen[0]); };
  const std::size_t sizes = std::size(kOpen);
  for (const std::uint32_t open : kOpen) {
    workload.extras.push_back(
        {fmt::format("windows_{}", open),
         [=, threads = settings.threads] { return run_by_engine(records, open, threads); },
         [=] { return run_by_hand(records, open); }});
  }
  for (const std::uint32_t open : kOpen) {
    workload.extras.push_back({fmt::format("loop_{}", open),
                               [=] { return run_by_hand(records, open); },
                               [=] { return run_by_hand(records, open); }});
  }
  workload.figures = [](const Outcome& outcome) {
    const double engine = growth(outcome.extras, 0, sizes - 1);
    const double loop = growth(outcome.extras, sizes, 2 * sizes - 1);
    return std::vector<Figure>{{"cost_1000_by_1", engine, 0, 0},
                               {"cost_1000_by_1_to_loop", engine / loop, 0, 1.5}};
  };
  return workload;
}

}  // namespace millrace::bench
