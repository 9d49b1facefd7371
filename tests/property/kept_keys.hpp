// A receiver that keeps idempotency keys, and what it must have of runs that are killed.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cut_run.hpp"

namespace millrace::detail {

/// Outlives the runs: takes what comes under a key for the first time.
struct KeepsKeys {
  void take(std::string_view key, std::string text) {
    if (key.empty()) ++without;
    const auto [at, is_new] = taken.emplace(key, text);
    if (is_new) return;
    ++again;
    if (at->second != text) ADD_FAILURE() << key << ": " << at->second << ", then " << text;
  }
  std::map<std::string, std::string, std::less<>> taken = {};
  int again = 0;
  int without = 0;
};

/// Numbers that can be replayed, and the receivers of a topology.
struct KeptWorld {
  explicit KeptWorld(std::size_t receivers_of_it) : receivers(receivers_of_it) {}

  Stream<Numbered> numbers(Topology& topology, const std::string& name, std::uint32_t tasks) {
    return topology
        .from(SourceOf<Numbered>{name, "", tasks,
                                 [this] { return std::make_unique<Numbers>(partitions, count); }})
        .named(name);
  }
  /// Shows what text_of(row) says.
  template <class TextOf>
  auto shows(std::size_t at, TextOf text_of) {
    return each([to = &receivers[at], text_of](const auto& row, IdempotencyKey key) {
      to->take(key.text, text_of(row));
    });
  }

  static constexpr std::uint64_t kCutWithin = 2500;  ///< steps of a life that is cut off
  std::uint32_t partitions = 3;
  std::int64_t count = 80;
  MemoryStore store = {};
  std::vector<KeepsKeys> receivers;
};

/// One life of a `World`, a KeptWorld with declare(topology, readers). False: the run could not be.
template <class World>
bool live_with_keys(World& world, Random& random, bool last) {
  Topology topology("keyed");
  world.declare(topology, static_cast<std::uint32_t>(1 + random.below(3)));
  for (const Status& problem : topology.declaration().graph.validate())
    ADD_FAILURE() << problem.to_string();
  return run_until_cut(topology, world.store, random, last ? 0 : World::kCutWithin);
}

/// Whatever the kills, schedules, numbers of readers and of tasks, receivers have what those of one
/// run have, under the same keys; and there no two records have one key.
template <class World>
void expect_keys_hold() {
  World whole;
  Random one(1);
  ASSERT_TRUE(live_with_keys(whole, one, true));
  for (std::size_t at = 0; at < whole.receivers.size(); ++at) {
    const KeepsKeys& receiver = whole.receivers[at];
    EXPECT_GT(receiver.taken.size(), 20u) << "receiver " << at;
    EXPECT_EQ(receiver.again, 0) << "two records have one key, receiver " << at;
    EXPECT_EQ(receiver.without, 0) << "receiver " << at;
  }
  std::vector<int> again(whole.receivers.size());
  property::for_each_seed([&](std::uint64_t seed) {
    Random random(seed);
    World world;
    const std::uint64_t kills = 1 + random.below(6);
    for (std::uint64_t kill = 0; kill <= kills; ++kill) {
      if (!live_with_keys(world, random, kill == kills)) return false;
      const auto newest = world.store.newest();
      if (newest && *newest && (*newest)->finished) break;
    }
    for (std::size_t at = 0; at < world.receivers.size(); ++at) {
      EXPECT_EQ(world.receivers[at].taken, whole.receivers[at].taken)
          << "MILLRACE_SEED=" << seed << ", receiver " << at;
      again[at] += world.receivers[at].again;
    }
    return !testing::Test::HasFailure();
  });
  for (std::size_t at = 0; at < again.size(); ++at)
    EXPECT_GT(again[at], 5) << "the kills told nothing, receiver " << at;
}

}  // namespace millrace::detail
