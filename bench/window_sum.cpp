// W2, window-sum: sums of 10,000 keys in tumbling windows of a second of event time.
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "answers.hpp"
#include "flat_map.hpp"
#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

constexpr std::int64_t kWindowUs = 1'000'000;

/// `state_dir`: exactly once with a checkpoint every second; empty: without.
Answer run_by_engine(std::uint64_t records, unsigned threads, bool auto_executors,
                     const std::string& state_dir = {}) {
  Answer answer;
  answer.records = records;
  Topology topology("window-sum");
  if (!state_dir.empty()) {
    topology.state_dir(state_dir, std::chrono::seconds(1));
    topology.guarantee(exactly_once);
  }
  auto events = generate(records, [](std::uint64_t index) { return window_event(index); }, threads);
  events.tasks = threads;
  topology.from(events)
      .event_time(&WindowEvent::time)
      .key_by(&WindowEvent::key)
      .window(tumbling(std::chrono::seconds(1)))
      .sum(&WindowEvent::value)
      .named("sums")
      .to(each([&answer](const Aggregate<std::uint32_t, double>& row) {
        answer.checksum += window_row_sum(row.window_start, row.key, row.value);
      }));
  answer.failure = run_engine(topology, threads, auto_executors);
  return answer;
}

/// With a state folder that is made for the run and goes with it.
Answer run_checkpointed(std::uint64_t records, unsigned threads, bool auto_executors) {
  std::string folder = (std::filesystem::temp_directory_path() / "millrace-state-XXXXXX").string();
  Answer answer;
  if (::mkdtemp(folder.data()) == nullptr) {
    answer.failure = "\"" + folder + "\" cannot be made: check the folder for temporary files";
    return answer;
  }
  answer = run_by_engine(records, threads, auto_executors, folder);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return answer;
}

Answer run_by_hand(std::uint64_t records) {
  Answer answer;
  answer.records = records;
  FlatMap<std::uint32_t, double, 4> sums;
  std::int64_t start = 0;
  const auto fire = [&] {
    sums.for_each(
        [&](std::uint32_t key, double sum) { answer.checksum += window_row_sum(start, key, sum); });
    sums.clear();
  };
  for (std::uint64_t index = 0; index < records; ++index) {
    const WindowEvent event = window_event(index);
    if (event.time.micros >= start + kWindowUs) {
      fire();
      start = event.time.micros / kWindowUs * kWindowUs;
    }
    sums[event.key] += event.value;
  }
  fire();
  return answer;
}

/// The bound: an array indexed by the key.
Answer run_bound(std::uint64_t records) {
  Answer answer;
  answer.records = records;
  std::vector<double> sums(kWindowSumKeys);
  for (std::uint64_t begin = 0; begin < records; begin += kWindowUs) {
    const std::uint64_t end = std::min<std::uint64_t>(begin + kWindowUs, records);
    std::vector<std::uint8_t> used(kWindowSumKeys);
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::uint64_t index = begin; index < end; ++index) {
      const WindowEvent event = window_event(index);
      sums[event.key] += event.value;
      used[event.key] = 1;
    }
    for (std::uint32_t key = 0; key < kWindowSumKeys; ++key) {
      if (used[key])
        answer.checksum += window_row_sum(static_cast<std::int64_t>(begin), key, sums[key]);
    }
  }
  return answer;
}

}  // namespace

Workload checkpointed_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 1'000'000'000;
  Workload workload;
  workload.name = "checkpointed";
  workload.unit = "events";
  workload.engine = [records, by_load = settings.auto_executors](unsigned threads) {
    return run_checkpointed(records, threads, by_load);
  };
  workload.limit = [records, threads = settings.threads, by_load = settings.auto_executors] {
    return run_by_engine(records, threads, by_load);
  };
  return workload;
}

Workload window_sum_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 50'000'000;
  Workload workload;
  workload.name = "window-sum";
  workload.unit = "events";
  workload.limit_rate_min = 200e6;
  workload.engine = [records, by_load = settings.auto_executors](unsigned threads) {
    return run_by_engine(records, threads, by_load);
  };
  workload.limit = [records] { return run_by_hand(records); };
  workload.bound = [records] { return run_bound(records); };
  return workload;
}

}  // namespace millrace::bench
