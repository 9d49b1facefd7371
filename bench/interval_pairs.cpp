// interval-join and spilled-join: orders and shipments of 10,000 keys, paired when they are within
// two seconds of event time, and shipments of very many orders that wait.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "flat_map.hpp"
#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

constexpr std::int64_t kSpanUs = 2'000'000;

struct Half {
  std::uint32_t key = 0;
  std::uint32_t number = 0;
  Timestamp time;
};
struct Whole {
  std::uint32_t key = 0;
  std::uint32_t left = 0;
  std::uint32_t right = 0;
};

std::uint64_t whole_sum(const Whole& whole) {
  return mix(mix(whole.key) + (std::uint64_t{whole.left} << 32) + whole.right);
}

/// Record `index` of one side, 10,000 a second of event time: of a key one a second.
Half half_of(std::uint64_t index, std::uint64_t keys, std::uint64_t side) {
  const std::uint64_t word = mix(2 * index + side);
  return {static_cast<std::uint32_t>(((word >> 32) * keys) >> 32),
          static_cast<std::uint32_t>(index),
          Timestamp{static_cast<std::int64_t>(index) * 100 + static_cast<std::int64_t>(side) * 50}};
}

Answer pairs_by_engine(std::uint64_t records, std::uint64_t keys, unsigned threads) {
  Answer answer;
  answer.records = records;
  Topology topology("interval-join");
  const auto side = [&](std::uint64_t number) {
    auto halves = generate(
        records / 2, [keys, number](std::uint64_t index) { return half_of(index, keys, number); },
        threads);
    halves.tasks = threads;
    return topology.from(halves).event_time(&Half::time).key_by(&Half::key);
  };
  side(0)
      .join(side(1))
      .within(Duration(0), Duration(kSpanUs))
      .inner([](const Half& left, const Half& right) {
        return Whole{left.key, left.number, right.number};
      })
      .to(each([&answer](const Whole& whole) { answer.checksum += whole_sum(whole); }));
  answer.failure = run_engine(topology, threads);
  return answer;
}

/// The left records of a key that a right one may still meet: both sides come in order.
Answer pairs_by_hand(std::uint64_t records, std::uint64_t keys) {
  Answer answer;
  answer.records = records;
  FlatMap<std::uint32_t, std::uint32_t, 2> numbers;
  std::vector<std::vector<Half>> waiting;
  for (std::uint64_t index = 0; index < records / 2; ++index) {
    const Half left = half_of(index, keys, 0);
    std::uint32_t& number = numbers[left.key];
    if (number == 0) {
      waiting.emplace_back();
      number = static_cast<std::uint32_t>(waiting.size());
    }
    waiting[number - 1].push_back(left);
    const Half right = half_of(index, keys, 1);
    const std::uint32_t found = numbers[right.key];
    if (found == 0) continue;
    std::vector<Half>& lefts = waiting[found - 1];
    const std::int64_t from = right.time.micros - kSpanUs;
    std::erase_if(lefts, [from](const Half& half) { return half.time.micros < from; });
    for (const Half& half : lefts)
      answer.checksum += whole_sum({right.key, half.number, right.number});
  }
  return answer;
}

/// Record `index` of one stream: an order of each key first, then shipments, nine of ten for a
/// tenth of the orders.
Half waiting_half_of(std::uint64_t index, std::uint64_t keys) {
  const std::uint64_t word = mix(index);
  const std::uint64_t among = word % 10 != 0 ? keys / 10 : keys;
  const std::uint64_t key = index < keys ? index : (word >> 8) % among;
  return {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(index),
          Timestamp{static_cast<std::int64_t>(index)}};
}

/// All orders wait for shipments to the end. `memory_bytes`: beyond it they go to disk; 0: the
/// default, and no disk.
Answer waiting_by_engine(const char* name, std::uint64_t records, std::uint64_t keys,
                         unsigned threads, std::uint64_t memory_bytes) {
  Answer answer;
  answer.records = records;
  Topology topology(name);
  const auto folder = std::filesystem::temp_directory_path() / "millrace-bench-spill";
  if (memory_bytes > 0) topology.state_on("auto", folder.string());
  auto halves = generate(
      records, [keys](std::uint64_t index) { return waiting_half_of(index, keys); }, threads);
  halves.tasks = threads;
  const auto all = topology.from(halves).event_time(&Half::time);
  const auto is_order = [keys](const Half& half) { return half.number < keys; };
  all.filter(is_order)
      .key_by(&Half::key)
      .join(all.filter(std::not_fn(is_order)).key_by(&Half::key))
      .within(Duration(0), Duration(static_cast<std::int64_t>(records)))
      .inner([](const Half& left, const Half& right) {
        return Whole{left.key, left.number, right.number};
      })
      .to(each([&answer](const Whole& whole) { answer.checksum += whole_sum(whole); }));
  answer.failure = run_engine(topology, threads, false, memory_bytes);
  return answer;
}

Answer waiting_by_hand(std::uint64_t records, std::uint64_t keys) {
  Answer answer;
  answer.records = records;
  FlatMap<std::uint32_t, std::uint32_t, 2> orders;
  for (std::uint64_t index = 0; index < records; ++index) {
    const Half half = waiting_half_of(index, keys);
    if (index < keys) {
      orders[half.key] = half.number;
    } else {
      answer.checksum += whole_sum({half.key, orders[half.key], half.number});
    }
  }
  return answer;
}

}  // namespace

/// Memory has about a tenth of the orders.
Workload spilled_join_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 10'000'000;
  const std::uint64_t keys = settings.keys != 0 ? settings.keys : 1'000'000;
  constexpr std::uint64_t kBytesPerKey = 122;  // of which state has three eighths
  constexpr double kOfMemoryLeast = 0.3;
  Workload workload;
  workload.name = "spilled-join";
  workload.unit = "events";
  workload.engine = [=](unsigned threads) {
    return waiting_by_engine("spilled-join", records, keys, threads, keys * kBytesPerKey);
  };
  workload.limit = [=] { return waiting_by_hand(records, keys); };
  const unsigned threads = settings.threads;
  workload.extras = {
      {"in_memory", [=] { return waiting_by_engine("in-memory", records, keys, threads, 0); }, {}}};
  workload.figures = [](const Outcome& outcome) {
    return std::vector<Figure>{
        {"of_in_memory", outcome.engine.rate / outcome.extras.front().rate, kOfMemoryLeast}};
  };
  return workload;
}

Workload interval_join_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 5'000'000;
  const std::uint64_t keys = settings.keys != 0 ? settings.keys : 10'000;
  Workload workload;
  workload.name = "interval-join";
  workload.unit = "events";
  workload.engine = [=](unsigned threads) { return pairs_by_engine(records, keys, threads); };
  workload.limit = [=] { return pairs_by_hand(records, keys); };
  return workload;
}

}  // namespace millrace::bench
