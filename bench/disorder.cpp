// order-restore: events up to a second out of order, put in order again.
#include <cstdint>
#include <queue>
#include <vector>

#include "millrace/topology.hpp"
#include "run_engine.hpp"
#include "workloads.hpp"

namespace millrace::bench {
namespace {

constexpr std::int64_t kBoundUs = 1'000'000;

struct Event {
  std::int64_t index = 0;
  Timestamp time;
};

/// A million a second, each up to a second late: about half a million wait.
inline Event event_of(std::uint64_t index) {
  const auto late = static_cast<std::int64_t>(mix(index) % kBoundUs);
  return {static_cast<std::int64_t>(index), Timestamp{static_cast<std::int64_t>(index) - late}};
}

/// What the order of the records makes of them.
struct InOrder {
  std::uint64_t checksum = 0;
  void take(const Event& event) {
    checksum = mix(checksum + static_cast<std::uint64_t>(event.index));
  }
};

Answer run_by_engine(std::uint64_t records) {
  Answer answer;
  answer.records = records;
  InOrder order;
  Topology topology("order-restore");
  topology.from(generate(records, [](std::uint64_t index) { return event_of(index); }))
      .event_time(&Event::time, {.out_of_order = Duration(kBoundUs)})
      .restore_order()
      .to(each([&order](const Event& event) { order.take(event); }));
  answer.failure = run_engine(topology, 1);
  answer.checksum = order.checksum;
  return answer;
}

/// A binary heap of the records.
Answer run_by_hand(std::uint64_t records) {
  Answer answer;
  answer.records = records;
  InOrder order;
  const auto later = [](const Event& a, const Event& b) {
    return a.time.micros != b.time.micros ? a.time.micros > b.time.micros : a.index > b.index;
  };
  std::priority_queue<Event, std::vector<Event>, decltype(later)> waiting(later);
  std::int64_t newest = kTimeMin;
  for (std::uint64_t index = 0; index < records; ++index) {
    const Event event = event_of(index);
    waiting.push(event);
    if (event.time.micros <= newest) continue;
    newest = event.time.micros;
    for (; waiting.top().time.micros < newest - kBoundUs; waiting.pop()) order.take(waiting.top());
  }
  for (; !waiting.empty(); waiting.pop()) order.take(waiting.top());
  answer.checksum = order.checksum;
  return answer;
}

}  // namespace

Workload order_restore_workload(const Settings& settings) {
  const std::uint64_t records = settings.records != 0 ? settings.records : 5'000'000;
  Workload workload;
  workload.name = "order-restore";
  workload.unit = "events";
  workload.engine = [=](unsigned) { return run_by_engine(records); };
  workload.limit = [=] { return run_by_hand(records); };
  return workload;
}

}  // namespace millrace::bench
