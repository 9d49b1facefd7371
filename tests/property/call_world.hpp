// A world of calls to an outside store that is slow and fails, in runs that are killed.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cut_run.hpp"

namespace millrace::detail {

/// An outside store that is slow and fails, as the seed draws.
struct Store {
  Random random;
  double failing = 0.2;
  std::uint64_t calls = 0;
  std::vector<Shown> asked = {};

  Numbered ask(const Numbered& of) {
    ++calls;
    asked.emplace_back(of.key, of.number);
    if (random.chance(failing)) throw std::runtime_error("the store is down");
    return {of.key, of.number + 1'000};
  }
  std::vector<std::optional<std::int64_t>> find(std::span<const std::int64_t> keys) {
    ++calls;
    if (random.chance(failing)) throw std::runtime_error("the store is down");
    std::vector<std::optional<std::int64_t>> values;
    for (const std::int64_t key : keys)
      values.push_back(key % 3 == 0 ? std::nullopt : std::optional(key * 2));
    return values;
  }
};

inline CallOptions drawn_options(Random& random) {
  CallOptions options;
  options.in_flight_max = 1 + random.below(12);
  options.time_out = Duration(500 + random.below(4'000));  // of delays up to 4 ms
  options.tries = static_cast<int>(1 + random.below(4));
  options.back_off = Duration(random.below(1'000));
  if (random.chance(0.3)) options.deadline = Duration(1'000 + random.below(8'000));
  options.ordered = random.chance(0.5);
  options.threads = 1 + random.below(4);
  return options;
}

/// A key of a quarter of a partition's records.
inline std::int64_t quarter(const Numbered& of) { return of.key * 4 + of.number % 4; }

/// A replayable source, its calls, and windows behind them that would miss late records.
struct CallWorld {
  std::uint32_t partitions = 3;
  std::int64_t count = 60;
  bool looks_up = false;              ///< in place of calls, in all lives
  std::size_t key_in_flight_max = 0;  ///< behind key_by(quarter), in its order; 0: without
  MemoryStore store = {};
  Outbox results = {};
  Outbox windows = {};

  Stream<Numbered> numbers(Topology& topology, std::uint32_t tasks) {
    Node node;
    node.name = node.kind = "numbers";
    node.tasks = tasks;
    node.output = &batch_type<Numbered>();
    node.make_source = [this] { return std::make_unique<Numbers>(partitions, count); };
    Declaration& declaration = topology.declaration();
    const NodeId id = declaration.graph.add(std::move(node));
    return Stream<Numbered>(declaration, {{id, 0}}).event_time([](const Numbered& of) {
      return of.number * (3 + of.key % 2);
    });
  }
  void declare(Topology& topology, std::uint32_t tasks, Store& outside, Random& random) {
    const auto read = numbers(topology, tasks);
    if (looks_up) return look_up(topology, read, outside, random);
    const auto ask = [&outside](const Numbered& of) { return outside.ask(of); };
    const auto stand_in = [](const Numbered& of) { return Numbered{of.key, of.number + 1'000}; };
    CallOptions options = drawn_options(random);
    if (key_in_flight_max > 0) options.key_in_flight_max = key_in_flight_max;
    options.ordered |= key_in_flight_max > 1;  // of one at once the order is kept anyway
    const auto from = random.chance(0.5) ? read : read.shuffle();
    const auto called = key_in_flight_max > 0 ? read.key_by(quarter).call(ask, options, stand_in)
                                              : from.call(ask, options, stand_in);
    called.named("call");
    show_both(topology, called);
  }

 private:
  void look_up(Topology& topology, const Stream<Numbered>& read, Store& outside, Random& random) {
    LookupOptions options;
    options.calls = drawn_options(random);
    options.cache_max = random.below(20);
    options.expire = Duration(random.below(20'000));
    options.keep_missing = random.chance(0.5);
    options.batch_max = 1 + random.below(5);
    options.missing_on_failure = true;
    options.calls.ordered |= key_in_flight_max > 0;
    const std::int64_t kinds = key_in_flight_max == 1 ? 4 : 16;  // 4: those of quarter()
    const auto key_of = [kinds](const Numbered& of) {
      return kinds == 4 ? quarter(of) : of.key * 100 + of.number % kinds;
    };
    const auto find = [&outside](std::span<const std::int64_t> keys) { return outside.find(keys); };
    const auto keyed = read.key_by(quarter);
    const auto found = key_in_flight_max == 0 ? read.lookup(key_of, find, options)
                       : kinds == 4           ? keyed.lookup(find, options)
                                              : keyed.lookup(key_of, find, options);
    show_both(topology, found.map([key_of](const LookedUp<Numbered, std::int64_t>& row) {
      if (row.value) EXPECT_EQ(*row.value, key_of(row.record) * 2);
      return Numbered{row.record.key, row.record.number + 1'000};
    }));
  }
  void show_both(Topology& topology, const Stream<Numbered>& called) {
    show(topology, called, results, "results");
    const auto counted = called.key_by(&Numbered::key).window(tumbling(Duration(20))).count();
    show(topology, counted.map([](const auto& row) {
      return Numbered{row.key * 1'000'000 + row.window_start, row.value};
    }),
         windows, "windows");
  }
  void show(Topology& topology, const Stream<Numbered>& rows, Outbox& outbox,
            const std::string& name) {
    Node node;
    node.name = node.kind = name;
    node.tasks = 1;
    node.inputs = rows.inputs({});
    node.make_sink = [&outbox] { return std::make_unique<OutboxSink>(outbox); };
    (void)topology.declaration().graph.add(std::move(node));
  }
};

/// One life of it, in which `asked` is set to what its store was asked in order.
inline bool live(CallWorld& world, Random& random, bool last, std::vector<Shown>* asked = nullptr) {
  Topology topology("calls");
  Store outside{.random = Random(random())};
  world.declare(topology, static_cast<std::uint32_t>(1 + random.below(3)), outside, random);
  const bool stopped = !last && random.chance(0.25);
  const bool ran = run_until_cut(topology, world.store, random, last ? 0 : 1500, stopped);
  if (asked) *asked = std::move(outside.asked);
  return ran;
}

}  // namespace millrace::detail
