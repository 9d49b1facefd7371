// wide-state: events counted by uniform keys, many more than the caches hold.
#include <cstdint>

#include "flat_map.hpp"
#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

/// Key of event `index`: uniform, and in no order.
inline std::uint32_t key_of(std::uint64_t index, std::uint64_t keys) {
  std::uint64_t word = (index + 1) * 0x9e3779b97f4a7c15ull;
  word = (word ^ (word >> 32)) * 0xd6e8feb86659fd93ull;
  return static_cast<std::uint32_t>(((word >> 32) * keys) >> 32);
}

std::uint64_t row_sum(std::uint32_t key, std::int64_t count) {
  return mix(mix(key) + static_cast<std::uint64_t>(count));
}

Answer run_by_engine(std::uint64_t records, std::uint64_t keys, unsigned threads) {
  Answer answer;
  answer.records = records;
  Topology topology("wide-state");
  auto events =
      generate(records, [keys](std::uint64_t index) { return key_of(index, keys); }, threads);
  events.tasks = threads;
  topology.from(events).key_by(self).window(global()).count().to(
      each([&answer](const Aggregate<std::uint32_t, std::int64_t>& row) {
        answer.checksum += row_sum(row.key, row.value);
      }));
  answer.failure = run_engine(topology, threads);
  return answer;
}

/// One by one, in a map that is at most half full: what a good loop without batches does.
Answer run_by_hand(std::uint64_t records, std::uint64_t keys) {
  Answer answer;
  answer.records = records;
  FlatMap<std::uint32_t, std::int64_t, 2> counts;
  for (std::uint64_t index = 0; index < records; ++index) ++counts[key_of(index, keys)];
  counts.for_each(
      [&](std::uint32_t key, std::int64_t count) { answer.checksum += row_sum(key, count); });
  return answer;
}

}  // namespace

Workload wide_state_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 100'000'000;
  const std::uint64_t keys = settings.keys != 0 ? settings.keys : 1'000'000;
  Workload workload;
  workload.name = "wide-state";
  workload.unit = "events";
  workload.engine = [=](unsigned threads) { return run_by_engine(records, keys, threads); };
  workload.limit = [=] { return run_by_hand(records, keys); };
  return workload;
}

}  // namespace millrace::bench
