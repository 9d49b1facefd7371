// Tests that calls behind key_by keep each key's order, of calls and of results, and give each
// record its result once, whatever the schedule, the delays, the failures, the kills and the tasks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "call_world.hpp"
#include "operator/key_turns.hpp"

namespace millrace::detail {
namespace {

/// Whether the numbers of each quarter() ascend; `again`: or stay.
bool ascend(const std::vector<Shown>& rows, bool again) {
  std::map<std::int64_t, std::int64_t> last;
  return std::ranges::all_of(rows, [&](const Shown& row) {
    const std::int64_t before = std::exchange(last[quarter({row.first, row.second})], row.second);
    return again ? before <= row.second : before < row.second;
  });
}

TEST(KeyedCalls, KilledAndRescaledRunsKeepTheOrderOfEachKey) {
  CallWorld whole;
  Random one(1);
  ASSERT_TRUE(live(whole, one, true));
  ASSERT_EQ(whole.results.seen().size(), 180u);
  std::size_t epochs = 0;
  bool any_overtook = false;
  property::for_each_seed([&](std::uint64_t seed) {
    Random random(seed);
    CallWorld world;
    world.key_in_flight_max = 1 + random.below(3);
    world.looks_up = random.chance(0.3);
    const std::uint64_t kills = 1 + random.below(6);
    for (std::uint64_t kill = 0; kill <= kills; ++kill) {
      std::vector<Shown> asked;
      if (!live(world, random, kill == kills, &asked)) return false;
      if (world.key_in_flight_max == 1)
        EXPECT_TRUE(ascend(asked, true)) << "MILLRACE_SEED=" << seed;
      const auto newest = world.store.newest();
      if (newest && *newest && (*newest)->finished) break;
    }
    epochs += static_cast<std::size_t>(world.store.writes());
    EXPECT_EQ(world.results.seen(), whole.results.seen()) << "MILLRACE_SEED=" << seed;
    EXPECT_EQ(world.windows.seen(), whole.windows.seen()) << "MILLRACE_SEED=" << seed;
    EXPECT_TRUE(ascend(world.results.as_seen(), false)) << "MILLRACE_SEED=" << seed;
    std::map<std::int64_t, std::int64_t> last;
    for (const auto& [partition, number] : world.results.as_seen())
      any_overtook |= std::exchange(last[partition], number) > number;
    return !testing::Test::HasFailure();
  });
  EXPECT_GT(epochs, 50u);
  EXPECT_TRUE(any_overtook);
}

/// All records in the order they came, looked through at each step.
struct NaiveTurns {
  struct One {
    std::uint32_t place;
    std::uint64_t key;
    bool begun = false;
    bool done = false;
    bool gone = false;
  };
  bool ordered;
  std::size_t at_once;
  std::size_t room;
  std::vector<One> here = {};

  /// Begins those whose turn it is.
  std::vector<std::uint32_t> begin() {
    std::vector<std::uint32_t> now;
    for (std::size_t at = 0; at < std::min(room, here.size()); ++at) {
      const auto begun = std::ranges::count_if(
          here, [&](const One& one) { return one.key == here[at].key && one.begun && !one.done; });
      if (here[at].begun || static_cast<std::size_t>(begun) >= at_once) continue;
      here[at].begun = true;
      now.push_back(here[at].place);
    }
    return now;
  }
  /// Those that go, when that one is done.
  std::vector<std::uint32_t> done(std::uint32_t place) {
    const auto it = std::ranges::find(here, place, &One::place);
    it->done = true;
    std::vector<std::uint32_t> now;
    for (One& one : here) {
      if (one.key != it->key || one.gone) continue;
      if (!one.done && ordered) break;
      if (one.done) now.push_back(one.place);
      one.gone |= one.done;
    }
    return now;
  }
};

TEST(KeyedCalls, TurnsAreThoseOfANaiveLine) {
  property::for_each_seed([](std::uint64_t seed) {
    Random random(seed);
    NaiveTurns naive{random.chance(0.5), 1 + random.below(3), 1 + random.below(8)};
    KeyTurns turns(naive.ordered, {nullptr, naive.at_once, naive.room});
    std::vector<std::uint32_t> begun;
    std::vector<std::uint32_t> gone;
    for (std::uint32_t step = 0; step < 400; ++step) {
      std::vector<std::uint32_t> now;
      if (random.chance(0.4)) {
        naive.here.push_back({step, random.below(4)});
        if (turns.add(step, naive.here.back().key, step)) now.push_back(step);
      } else if (!begun.empty() && random.chance(0.6)) {
        const std::uint32_t place = begun[random.below(begun.size())];
        std::erase(begun, place);
        std::vector<std::uint32_t> go;
        turns.done(place, [&go](std::uint32_t one) { go.push_back(one); });
        EXPECT_EQ(go, naive.done(place)) << "MILLRACE_SEED=" << seed;
        gone.insert(gone.end(), go.begin(), go.end());
      } else if (!gone.empty()) {
        const std::uint32_t place = gone[random.below(gone.size())];
        std::erase(gone, place);
        std::erase_if(naive.here, [&](const auto& one) { return one.place == place; });
        turns.left();
      }
      while (const auto turn = turns.next()) {
        EXPECT_EQ(turn->came_ns, turn->place) << "MILLRACE_SEED=" << seed;
        now.push_back(turn->place);
      }
      EXPECT_EQ(now, naive.begin()) << "MILLRACE_SEED=" << seed;
      EXPECT_EQ(turns.is_full(), naive.here.size() > naive.room) << "MILLRACE_SEED=" << seed;
      begun.insert(begun.end(), now.begin(), now.end());
    }
    return !testing::Test::HasFailure();
  });
}

}  // namespace
}  // namespace millrace::detail
