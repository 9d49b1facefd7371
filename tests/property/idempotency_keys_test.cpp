// Tests that a receiver which keeps idempotency keys has each record of runs that are killed again
// and again once, whatever the schedule, the batches and the number of tasks.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>

#include <fmt/format.h>

#include "cut_run.hpp"
#include "millrace/notices.hpp"

namespace millrace::detail {
namespace {

/// Outlives the runs: takes what comes under a key for the first time.
struct KeepsKeys {
  void take(IdempotencyKey key, std::string text) {
    if (key.text.empty()) ++without;
    const auto [at, is_new] = taken.emplace(key.text, text);
    if (is_new) return;
    ++again;
    if (at->second != text) ADD_FAILURE() << key.text << ": " << at->second << ", then " << text;
  }
  std::map<std::string, std::string> taken = {};
  int again = 0;
  int without = 0;
};

struct KeyedWorld {
  std::uint32_t partitions = 3;
  std::int64_t count = 80;
  MemoryStore store = {};
  std::array<KeepsKeys, 6> receivers = {};

  void declare(Topology& topology, std::uint32_t tasks) {
    const auto numbers = topology
                             .from(SourceOf<Numbered>{
                                 "numbers", "", tasks,
                                 [this] { return std::make_unique<Numbers>(partitions, count); }})
                             .named("numbers")
                             .event_time(&Numbered::number);
    const auto show = [this](std::size_t at) {
      return each([to = &receivers[at]](const Numbered& of, IdempotencyKey key) {
        to->take(key, fmt::format("{} {}", of.key, of.number));
      });
    };
    const auto rows = [this](std::size_t at) {
      return each([to = &receivers[at]](const auto& row, IdempotencyKey key) {
        to->take(key, fmt::format("{} {} {}", row.key, row.value, row.window_end));
      });
    };
    numbers.filter([](const Numbered& of) { return of.number % 3 != 0; })
        .flat_map([](const Numbered& of, Output<Numbered>& out) {
          for (std::int64_t at = 0; at < of.number % 4; ++at) out.emit({at, of.number + of.key});
        })
        .parallel(2)
        .to(show(0));
    const auto keyed = numbers.key_by(&Numbered::key);
    keyed.sum(&Numbered::number)
        .map(
            [](const auto& row) { return Numbered{row.key, static_cast<std::int64_t>(row.value)}; })
        .to(show(1));
    const auto windows = keyed.window(sliding(Duration(6), Duration(3))).sum(&Numbered::number);
    windows.to(rows(2));
    windows.top(2).to(rows(3));
    numbers.filter([](const Numbered& of) { return of.number % 5 < 2; })
        .key_by(&Numbered::key)
        .window(session(Duration(2)))
        .count()
        .map([](const auto& row) { return Numbered{row.key, row.window_end}; })
        .to(show(4));
    notify(numbers.key_by(&Numbered::key), {.cool_down = Duration(2), .group_wait = Duration(1)})
        .map([](const auto& notice) {
          return Numbered{notice.record.key, notice.since.micros * 1000 + notice.held};
        })
        .to(show(5));
  }
};

/// False: the run could not be.
bool live(KeyedWorld& world, Random& random, bool last) {
  Topology topology("keyed");
  world.declare(topology, static_cast<std::uint32_t>(1 + random.below(3)));
  for (const Status& problem : topology.declaration().graph.validate()) {
    ADD_FAILURE() << problem.to_string();
  }
  return run_until_cut(topology, world.store, random, last ? 0 : 2500);
}

TEST(IdempotencyKeys, AReceiverThatKeepsThemHasEachRecordOfKilledRunsOnce) {
  KeyedWorld whole;
  Random one(1);
  ASSERT_TRUE(live(whole, one, true));
  for (const KeepsKeys& receiver : whole.receivers) {
    ASSERT_GT(receiver.taken.size(), 30u);
    ASSERT_EQ(receiver.again, 0) << "two records have one key";
    ASSERT_EQ(receiver.without, 0);
  }
  std::array<int, 6> again{};
  property::for_each_seed([&](std::uint64_t seed) {
    Random random(seed);
    KeyedWorld world;
    const std::uint64_t kills = 1 + random.below(6);
    for (std::uint64_t kill = 0; kill <= kills; ++kill) {
      if (!live(world, random, kill == kills)) return false;
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
  for (const int times : again) EXPECT_GT(times, 20) << "the kills told nothing";
}

}  // namespace
}  // namespace millrace::detail
