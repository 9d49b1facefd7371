// process-state, spilled-state, spilled-aggregate and timers: a class with a state, a running
// aggregate, and a class with a timer, for each of very many keys.
#include <cstdint>
#include <filesystem>
#include <queue>
#include <utility>
#include <vector>

#include "flat_map.hpp"
#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

struct Event {
  std::uint32_t key = 0;
  std::int64_t value = 0;
  Timestamp time;
};
struct Row {
  std::uint32_t key = 0;
  std::int64_t value = 0;
};

std::uint64_t row_sum(std::uint32_t key, std::int64_t value) {
  return mix(mix(key) + static_cast<std::uint64_t>(value));
}

/// Event `index` of a million a second of event time, its key uniform.
inline Event event_of(std::uint64_t index, std::uint64_t keys) {
  std::uint64_t word = (index + 1) * 0x9e3779b97f4a7c15ull;
  word = (word ^ (word >> 32)) * 0xd6e8feb86659fd93ull;
  return {static_cast<std::uint32_t>(((word >> 32) * keys) >> 32),
          static_cast<std::int64_t>(word & 1023), Timestamp{static_cast<std::int64_t>(index)}};
}

/// The same with nine of ten events of a tenth of the keys.
inline Event skewed_event_of(std::uint64_t index, std::uint64_t keys) {
  Event event = event_of(index, keys);
  const std::uint64_t word = mix(index);
  if (word % 10 != 0) event.key = static_cast<std::uint32_t>((word >> 8) % (keys / 10));
  return event;
}

/// Where state may go that the memory has no room for.
struct Room {
  std::uint64_t memory_bytes = 0;  ///< 0: the default, and no disk
};

/// `rows_of` a keyed stream gives rows of a key and a value.
template <class MakeEvent, class RowsOf>
Answer run_keyed(const char* name, std::uint64_t records, unsigned threads, MakeEvent make,
                 RowsOf rows_of, Room room = {}) {
  Answer answer;
  answer.records = records;
  Topology topology(name);
  const auto folder = std::filesystem::temp_directory_path() / "millrace-bench-spill";
  if (room.memory_bytes > 0) topology.state_on("auto", folder.string());
  auto events = generate(records, make, threads);
  events.tasks = threads;
  rows_of(topology.from(events).event_time(&Event::time).key_by(&Event::key))
      .to(each([&answer](const auto& row) { answer.checksum += row_sum(row.key, row.value); }));
  answer.failure = run_engine(topology, threads, false, room.memory_bytes);
  return answer;
}

bool is_zero(std::int64_t value) { return value == 0; }

/// The sum of a key, told whenever a value of 0 comes.
struct Sum {
  ValueState<std::int64_t> sum;
  void process(const Event& event, KeyedContext<std::uint32_t>&, Output<Row>& out) {
    const std::int64_t now = sum.value_or(0) + event.value;
    sum.set(now);
    if (is_zero(event.value)) out.emit({event.key, now});
  }
};

/// Declares a class of the user's.
template <class Processor>
auto processed_by(Processor processor) {
  return [processor](const auto& keyed) { return keyed.process(processor); };
}

/// `tells`: at which values of events the sum of the key is told.
template <class MakeEvent, class Tells>
Answer sums_by_hand(std::uint64_t records, MakeEvent make, Tells tells) {
  Answer answer;
  answer.records = records;
  FlatMap<std::uint32_t, std::int64_t, 2> sums;
  for (std::uint64_t index = 0; index < records; ++index) {
    const Event event = make(index);
    const std::int64_t now = sums[event.key] += event.value;
    if (tells(event.value)) answer.checksum += row_sum(event.key, now);
  }
  return answer;
}

/// Each event is a key of its own, whose timer comes after up to two seconds: a million pending.
inline Event single_of(std::uint64_t index) {
  Event event = event_of(index, 1u << 20);
  event.value = event.time.micros + 1 + (event.value << 11) + (event.key & 2047);
  event.key = static_cast<std::uint32_t>(index);
  return event;
}

struct OneTimer {
  void process(const Event& event, KeyedContext<std::uint32_t>& context, Output<Row>&) {
    context.timers().at(event.value);
  }
  void on_timer(Time time, KeyedContext<std::uint32_t>& context, Output<Row>& out) {
    out.emit({context.key(), time});
  }
};

/// A binary heap of times and keys.
Answer timers_by_hand(std::uint64_t records) {
  Answer answer;
  answer.records = records;
  using Timer = std::pair<std::int64_t, std::uint32_t>;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers;
  const auto fire = [&](std::int64_t until) {
    for (; !timers.empty() && timers.top().first < until; timers.pop()) {
      answer.checksum += row_sum(timers.top().second, timers.top().first);
    }
  };
  for (std::uint64_t index = 0; index < records; ++index) {
    const Event event = single_of(index);
    fire(event.time.micros);
    timers.emplace(event.value, event.key);
  }
  fire(kTimeMax);
  return answer;
}

}  // namespace

Workload process_state_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 20'000'000;
  const std::uint64_t keys = settings.keys != 0 ? settings.keys : 1'000'000;
  Workload workload;
  workload.name = "process-state";
  workload.unit = "events";
  const auto make = [keys](std::uint64_t index) { return event_of(index, keys); };
  workload.engine = [=](unsigned threads) {
    return run_keyed("process-state", records, threads, make, processed_by(Sum{}));
  };
  workload.limit = [=] { return sums_by_hand(records, make, is_zero); };
  return workload;
}

/// Memory has about a tenth of the keys: so many bytes a key is its budget.
template <class RowsOf, class Tells>
Workload spilled_workload(const char* name, const Settings& settings, std::uint64_t bytes_per_key,
                          RowsOf rows_of, Tells tells) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 10'000'000;
  const std::uint64_t keys = settings.keys != 0 ? settings.keys : 2'000'000;
  constexpr double kOfMemoryLeast = 0.3;
  Workload workload;
  workload.name = name;
  workload.unit = "events";
  const auto make = [keys](std::uint64_t index) { return skewed_event_of(index, keys); };
  workload.engine = [=](unsigned threads) {
    return run_keyed(name, records, threads, make, rows_of, {keys * bytes_per_key});
  };
  workload.limit = [=] { return sums_by_hand(records, make, tells); };
  const unsigned threads = settings.threads;
  workload.extras = {
      {"in_memory", [=] { return run_keyed("in-memory", records, threads, make, rows_of); }, {}}};
  workload.figures = [](const Outcome& outcome) {
    return std::vector<Figure>{
        {"of_in_memory", outcome.engine.rate / outcome.extras.front().rate, kOfMemoryLeast}};
  };
  return workload;
}

Workload spilled_state_workload(const Settings& settings) {
  return spilled_workload("spilled-state", settings, 32, processed_by(Sum{}), is_zero);
}

Workload spilled_aggregate_workload(const Settings& settings) {
  return spilled_workload(
      "spilled-aggregate", settings, 12, [](const auto& keyed) { return keyed.sum(&Event::value); },
      [](std::int64_t) { return true; });
}

Workload timers_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 5'000'000;
  Workload workload;
  workload.name = "timers";
  workload.unit = "timers";
  workload.engine = [=](unsigned threads) {
    return run_keyed(
        "timers", records, threads, [](std::uint64_t index) { return single_of(index); },
        processed_by(OneTimer{}));
  };
  workload.limit = [=] { return timers_by_hand(records); };
  return workload;
}

}  // namespace millrace::bench
