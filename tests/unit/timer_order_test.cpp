// What comes nearly in order waits in runs: pairs are taken by time, whoever sent them.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/memory_meter.hpp"
#include "env/random.hpp"
#include "state/key_alarms.hpp"
#include "state/timer_queue.hpp"

namespace millrace::detail {
namespace {

using Pairs = std::multimap<Time, std::uint64_t>;

/// Takes the pairs up to `until`, in blocks, and compares them with the first of `model`.
void expect_taken(TimerQueue& queue, Pairs& model, Time until, std::size_t most) {
  std::vector<TimedHash> due;
  for (queue.take(until, most, due); !due.empty(); queue.take(until, most, due)) {
    ASSERT_TRUE(std::ranges::is_sorted(due, {}, &TimedHash::time));
    for (const TimedHash& pair : due) {
      ASSERT_EQ(pair.time, model.begin()->first);
      const auto [from, to] = model.equal_range(pair.time);
      const auto at = std::find_if(from, to, [&](auto& one) { return one.second == pair.hash; });
      ASSERT_NE(at, to);
      model.erase(at);
    }
    ASSERT_FALSE(model.contains(due.back().time)) << "a time is taken whole";
  }
  ASSERT_TRUE(model.empty() || model.begin()->first > until);
}

/// A few senders, each in order by itself but now and then.
TEST(TimerOrder, BlocksOfSeveralSendersAreTakenByTime) {
  for (const double chaos : {0.0, 0.01, 0.5}) {
    Random random(static_cast<std::uint64_t>(chaos * 100) + 3);
    MemoryMeter meter;
    {
      TimerQueue queue(&meter);
      Pairs model;
      std::vector<Time> senders(static_cast<std::size_t>(random.between(1, 7)), -500);
      for (int round = 0; round < 400; ++round) {
        Time& sender = senders[random.below(senders.size())];
        for (std::uint64_t more = random.below(90); more > 0; --more) {
          sender += random.between(0, 4);
          const Time time = random.chance(chaos) ? sender + random.between(-900, 900) : sender;
          queue.push(time, more);
          model.emplace(time, more);
        }
        ASSERT_EQ(queue.next(), model.empty() ? kTimeMax : model.begin()->first);
        const Time until = *std::ranges::min_element(senders);
        ASSERT_NO_FATAL_FAILURE(expect_taken(queue, model, until, 1 + random.below(40)));
        ASSERT_EQ(queue.size(), model.size());
        ASSERT_EQ(queue.bytes(), meter.bytes());
      }
      ASSERT_NO_FATAL_FAILURE(expect_taken(queue, model, kTimeMax, 64));
      EXPECT_EQ(queue.size(), 0u);
    }
    EXPECT_EQ(meter.bytes(), 0u);
  }
}

TEST(TimerOrder, TimesAtBothEndsAreTaken) {
  TimerQueue queue;
  Pairs model;
  for (const Time time : {kTimeMax, kTimeMin, Time{0}, kTimeMax, kTimeMax - 1, kTimeMin}) {
    queue.push(time, 7);
    model.emplace(time, 7);
  }
  ASSERT_NO_FATAL_FAILURE(expect_taken(queue, model, 0, 2));
  queue.retain([](const TimedHash&) { return true; });
  EXPECT_EQ(queue.size(), 2u) << "each pair is kept once";
  model = {{kTimeMax - 1, 7}, {kTimeMax, 7}};
  ASSERT_NO_FATAL_FAILURE(expect_taken(queue, model, kTimeMax, 2));
}

/// Alarms ring by time and hash, those too that are set while others ring.
TEST(TimerOrder, AlarmsSetWhileOthersRingHaveTheirTurn) {
  Random random(5);
  KeyAlarms alarms;
  alarms.count_with(nullptr);
  std::set<std::pair<Time, std::uint64_t>> model;
  const auto add = [&](Time time, std::uint64_t hash) {
    if (model.emplace(time, hash).second) alarms.add(time, hash);
  };
  Time now = 0;
  for (int round = 0; round < 200; ++round) {
    for (int more = 0; more < 500; ++more) add(now + random.between(0, 300), random.below(1'000));
    now += 100;
    alarms.ring(now, [&](Time time, std::uint64_t hash) {
      ASSERT_LT(time, now);
      ASSERT_EQ(std::pair(time, hash), *model.begin());
      model.erase(model.begin());
      if (random.chance(0.3)) add(time + random.between(0, 150), hash + 1'000);
    });
    ASSERT_TRUE(model.empty() || model.begin()->first >= now);
  }
}

}  // namespace
}  // namespace millrace::detail
