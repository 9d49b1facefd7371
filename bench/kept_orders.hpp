// KeptOrders: the topology of restore and rescale: a state of 80 bytes for each of many keys.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>

#include "harness.hpp"
#include "millrace/topology.hpp"

namespace millrace::bench {

struct Order {
  std::uint64_t key = 0;
  std::int64_t number = 0;
};
/// What is kept of a key: with the key itself 80 bytes of an epoch.
struct Kept {
  std::int64_t count = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t sum = 0;
  std::int64_t least = 0;
  std::int64_t most = 0;
  double mean = 0;
  double square = 0;
};
struct Row {
  std::uint64_t key = 0;
  std::int64_t first = 0;
};

/// A gigabyte of them where nothing else is asked; each reader has the same number.
inline std::uint64_t kept_keys(const Settings& settings) {
  const std::uint64_t asked = settings.keys != 0 ? settings.keys : 12'500'000;
  return std::max<std::uint64_t>(asked / settings.threads, 1) * settings.threads;
}

struct Pace {
  unsigned threads = 1;
  /// Records of known keys that each reader gives in a millisecond; 0: as fast as they go. A run
  /// that is to be stopped or changed waits for batches of a thousand.
  unsigned a_millisecond = 0;
};

/// Each key once, in no order, and then again from the first one on.
inline Order order_of(std::uint64_t index, std::uint64_t keys, Pace pace) {
  const std::uint64_t turn = index / pace.threads;
  if (pace.a_millisecond != 0 && index >= keys && turn % pace.a_millisecond == 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const std::uint64_t number = index % keys;
  return {mix(number + 1), static_cast<std::int64_t>(number)};
}

/// Tells of keys that it knows already.
struct Keep {
  ValueState<Kept> kept;
  void process(const Order& order, KeyedContext<std::uint64_t>& context, Output<Row>& out) {
    Kept now = kept.value_or(Kept{0, order.number});
    if (++now.count > 1) out.emit({context.key(), now.first});
    kept.set(now);
  }
};

/// `again`: keys of a partition that come a second time.
template <class Take>
void declare_kept(Topology& topology, std::uint64_t keys, std::uint64_t again, Pace pace,
                  Take take) {
  const auto make = [=](std::uint64_t index) { return order_of(index, keys, pace); };
  auto orders = generate(keys + again * pace.threads, make, pace.threads);
  orders.tasks = pace.threads;
  topology.from(orders).key_by(&Order::key).process(Keep{}).named("kept").to(each(take));
}

}  // namespace millrace::bench
