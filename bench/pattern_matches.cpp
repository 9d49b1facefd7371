// pattern: a record of a, then one of b of its key within ten seconds of event time.
#include <cstdint>
#include <vector>

#include "flat_map.hpp"
#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

constexpr std::int64_t kWithinUs = 10'000'000;

struct Event {
  std::uint32_t key = 0;
  char kind = 'x';
  Timestamp time;
};
struct Pair {
  std::uint32_t key = 0;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

std::uint64_t pair_sum(std::uint32_t key, std::int64_t from, std::int64_t to) {
  return mix(mix(key) + static_cast<std::uint64_t>(from * 31 + to));
}

/// Event `index` of 10,000 a second of event time: of a key one a second, every eighth an a, every
/// 16th a b.
inline Event event_of(std::uint64_t index, std::uint64_t keys) {
  const std::uint64_t word = mix(index);
  const std::uint64_t kind = word & 15;
  return {static_cast<std::uint32_t>(((word >> 32) * keys) >> 32),
          kind < 2    ? 'a'
          : kind == 2 ? 'b'
                      : 'x',
          Timestamp{static_cast<std::int64_t>(index) * 100}};
}

Answer matches_by_engine(std::uint64_t records, std::uint64_t keys, unsigned threads) {
  Answer answer;
  answer.records = records;
  Topology topology("pattern");
  auto events =
      generate(records, [keys](std::uint64_t index) { return event_of(index, keys); }, threads);
  events.tasks = threads;
  const auto is = [](char kind) {
    return [kind](const Event& event) { return event.kind == kind; };
  };
  topology.from(events)
      .event_time(&Event::time)
      .key_by(&Event::key)
      .match(pattern<Event>("a").where(is('a')).followed_by("b").where(is('b')).within(
          Duration(kWithinUs)))
      .select([](const Match<Event>& match) {
        const Event& b = match["b"];
        return Pair{b.key, match["a"].time.micros, b.time.micros};
      })
      .to(each([&answer](const Pair& pair) {
        answer.checksum += pair_sum(pair.key, pair.from, pair.to);
      }));
  answer.failure = run_engine(topology, threads);
  return answer;
}

/// The times of the a's of a key that wait.
Answer matches_by_hand(std::uint64_t records, std::uint64_t keys) {
  Answer answer;
  answer.records = records;
  FlatMap<std::uint32_t, std::uint32_t, 2> numbers;
  std::vector<std::vector<std::int64_t>> waiting;
  for (std::uint64_t index = 0; index < records; ++index) {
    const Event event = event_of(index, keys);
    std::uint32_t& number = numbers[event.key];
    if (number == 0) {
      waiting.emplace_back();
      number = static_cast<std::uint32_t>(waiting.size());
    }
    std::vector<std::int64_t>& from = waiting[number - 1];
    const std::int64_t now = event.time.micros;
    std::erase_if(from, [now](std::int64_t time) { return time + kWithinUs <= now; });
    if (event.kind == 'a') from.push_back(now);
    if (event.kind != 'b') continue;
    for (const std::int64_t time : from) answer.checksum += pair_sum(event.key, time, now);
    from.clear();
  }
  return answer;
}

}  // namespace

Workload pattern_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 5'000'000;
  const std::uint64_t keys = settings.keys != 0 ? settings.keys : 10'000;
  Workload workload;
  workload.name = "pattern";
  workload.unit = "events";
  workload.engine = [=](unsigned threads) { return matches_by_engine(records, keys, threads); };
  workload.limit = [=] { return matches_by_hand(records, keys); };
  return workload;
}

}  // namespace millrace::bench
