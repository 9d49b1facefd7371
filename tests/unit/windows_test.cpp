// Tests of windows and panes: which windows hold a time, when they close, and what a late record
// still reaches.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "env/random.hpp"
#include "window/pane_set.hpp"

namespace millrace::detail {
namespace {

using Panes = PaneSet<std::int64_t, std::int64_t>;
using Fired = std::map<std::pair<Time, Time>, std::int64_t>;

void add(Panes& panes, Time time, Time behind = kTimeMin) {
  panes.add_slow(time, behind, [](auto& tables) {
    ++tables.upsert(1, KeyTraits<std::int64_t>::hash(1), [] { return std::int64_t{0}; });
  });
}
Fired close(Panes& panes, Time watermark) {
  Fired fired;
  Time last = kTimeMin;
  panes.close(watermark, [&](Time start, Time end, const auto& covered) {
    EXPECT_GE(end, last);
    last = end;
    for (const auto& pane : covered) {
      pane.tables->for_each(
          [&](std::int64_t, std::int64_t& count) { fired[{start, end}] += count; });
    }
  });
  return fired;
}

TEST(Windows, HoldTheirStartAndNotTheirEnd) {
  const Windows windows = tumbling(10us);
  EXPECT_EQ(windows.first_end(0), 10);
  EXPECT_EQ(windows.last_end(9), 10);
  EXPECT_EQ(windows.first_end(10), 20);
  EXPECT_EQ(windows.first_end(-1), 0);
  EXPECT_EQ(windows.first_end(-10), 0);
  EXPECT_EQ(windows.first_end(-11), -10);
}

TEST(Windows, BoundsEqualThoseFoundByTrying) {
  Random random(6);
  for (int round = 0; round < 2'000; ++round) {
    const std::int64_t slide = random.between(1, 30);
    const std::int64_t size = slide + random.between(0, 60);
    const Windows windows = sliding(Duration(size), Duration(slide));
    const Time time = random.between(-300, 300);
    std::set<Time> ends;
    for (Time start = time - size; start <= time; ++start) {
      if (start % slide == 0 && start + size > time) ends.insert(start + size);
    }
    ASSERT_EQ(windows.first_end(time), *ends.begin());
    ASSERT_EQ(windows.last_end(time), *ends.rbegin());
    const Time pane = windows.pane_of(time).start;
    ASSERT_LE(pane, time);
    ASSERT_GT(pane + windows.pane_us(), time);
    // All times of a pane lie in the same windows.
    ASSERT_EQ(windows.first_end(pane), windows.first_end(pane + windows.pane_us() - 1));
    const Time next = windows.next_end_after(time);
    ASSERT_GT(next, time);
    ASSERT_LE(next - slide, time);
    ASSERT_EQ((next - size) % slide, 0);
  }
}

TEST(Windows, TextAndValidity) {
  EXPECT_EQ(tumbling(5min).to_string(), "tumbling(5min)");
  EXPECT_EQ(sliding(6h, 15min).to_string(), "sliding(6h, 15min)");
  EXPECT_EQ(global().to_string(), "global()");
  EXPECT_TRUE(global().validate().ok());
  EXPECT_TRUE(sliding(2s, 2s).validate().ok());
  EXPECT_EQ(cumulating(24h, 1h).offset(-2h).to_string(), "cumulating(24h, 1h).offset(-2h)");
  EXPECT_TRUE(cumulating(24h, 1h).validate().ok());
  EXPECT_EQ(cumulating(24h, 7h).validate().code(), Code::window_invalid);
  EXPECT_EQ(cumulating(1h, 2h).validate().code(), Code::window_invalid);
  EXPECT_EQ(global().offset(1s).validate().code(), Code::window_invalid);
  EXPECT_EQ(tumbling(0s).validate().code(), Code::window_invalid);
  EXPECT_EQ(sliding(1s, 2s).validate().code(), Code::window_invalid);
}

TEST(PaneSet, ClosesAWindowWhenTheWatermarkReachesItsEnd) {
  Panes panes(tumbling(10us), true);
  add(panes, 0);
  add(panes, 9);
  add(panes, 10);
  EXPECT_TRUE(close(panes, 9).empty());
  EXPECT_EQ(close(panes, 10), (Fired{{{0, 10}, 2}}));
  EXPECT_TRUE(close(panes, 10).empty());
  EXPECT_EQ(close(panes, kTimeMax), (Fired{{{10, 20}, 1}}));
  EXPECT_EQ(panes.panes().size(), 0u);
}

TEST(Windows, AreMovedByTheirOffset) {
  for (const Duration offset : {15us, 5us, -5us}) {  // 15 = 5 modulo 10, -5 too
    const Windows windows = tumbling(10us).offset(offset);
    EXPECT_EQ(windows.first_end(5), 15);
    EXPECT_EQ(windows.first_end(4), 5);
    EXPECT_EQ(windows.first_end(-6), -5);
    EXPECT_EQ(windows.start_of(15), 5);
  }
}

TEST(Windows, CumulatingOnesShareTheirStart) {
  const Windows windows = cumulating(30us, 10us).offset(5us);
  EXPECT_EQ(windows.first_end(5), 15);
  EXPECT_EQ(windows.last_end(5), 35);
  EXPECT_EQ(windows.first_end(34), 35);
  EXPECT_EQ(windows.start_of(15), 5);
  EXPECT_EQ(windows.start_of(35), 5);
  EXPECT_EQ(windows.next_end_after(15), 25);
  EXPECT_EQ(windows.next_end_after(14), 15);
}

TEST(PaneSet, FiresAtTheEndsOfTimeOnce) {
  for (const Windows& windows :
       {tumbling(10us), sliding(10us, 5us), cumulating(10us, 5us), tumbling(10us).offset(3us)}) {
    for (const bool shared : {true, false}) {
      Panes panes(windows, shared);
      for (const Time time : {kTimeMin, kTimeMin + 1, kTimeMax - 1, kTimeMax}) add(panes, time);
      std::int64_t counted = 0;
      for (const auto& [bounds, count] : close(panes, kTimeMax)) counted += count;
      EXPECT_GE(counted, 4) << windows.to_string() << shared;
      EXPECT_EQ(panes.panes().size(), 0u);
    }
  }
}

TEST(PaneSet, CumulatingWindowsFireStepByStep) {
  for (const bool shared : {true, false}) {
    Panes panes(cumulating(30us, 10us), shared);
    add(panes, 0);
    add(panes, 25);
    add(panes, 30);
    EXPECT_TRUE(close(panes, 9).empty());
    EXPECT_EQ(close(panes, 20), (Fired{{{0, 10}, 1}, {{0, 20}, 1}}));
    EXPECT_EQ(close(panes, 30), (Fired{{{0, 30}, 2}}));
    EXPECT_EQ(close(panes, kTimeMax), (Fired{{{30, 40}, 1}, {{30, 50}, 1}, {{30, 60}, 1}}));
    EXPECT_EQ(panes.panes().size(), 0u);
  }
}

TEST(PaneSet, NegativeTimesHaveWindowsToo) {
  Panes panes(sliding(10us, 5us), true);
  add(panes, -1);
  add(panes, -12);
  EXPECT_EQ(close(panes, kTimeMax),
            (Fired{{{-20, -10}, 1}, {{-15, -5}, 1}, {{-10, 0}, 1}, {{-5, 5}, 1}}));
}

TEST(PaneSet, ALateRecordReachesOnlyTheWindowsThatEndAfterItsWatermark) {
  for (const bool shared : {true, false}) {
    Panes panes(sliding(10us, 5us), shared);
    EXPECT_FALSE(panes.add_slow(3, 10, [](auto&) { FAIL() << "10 is not after 10"; }));
    add(panes, 3, 5);  // windows [-5, 5) is over, [0, 10) is not
    add(panes, 3);
    EXPECT_EQ(close(panes, kTimeMax), (Fired{{{-5, 5}, 1}, {{0, 10}, 2}})) << shared;
  }
}

TEST(PaneSet, SharedAndSeparatePanesAgreeOverRandomRecordsAndWatermarks) {
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    const std::int64_t slide = random.between(1, 12);
    const Windows windows = sliding(Duration(slide + random.between(0, 30)), Duration(slide));
    Panes shared(windows, true);
    Panes separate(windows, false);
    Time watermark = kTimeMin;
    Time cursor = -40;
    for (int at = 0; at < 60; ++at) {
      cursor += random.between(0, 6);
      const Time time = cursor - random.between(0, 15);
      const Time behind = watermark != kTimeMin && time < watermark ? watermark : kTimeMin;
      add(shared, time, behind);
      add(separate, time, behind);
      if (!random.chance(0.3)) continue;
      watermark = std::max(watermark, cursor - random.between(0, 10));
      ASSERT_EQ(close(shared, watermark), close(separate, watermark)) << round;
    }
    ASSERT_EQ(close(shared, kTimeMax), close(separate, kTimeMax)) << round;
    ASSERT_EQ(shared.panes().size() + separate.panes().size(), 0u);
  }
}

TEST(PaneSet, TheGlobalWindowFiresOnceAtTheEnd) {
  Panes panes(global(), true);
  add(panes, -5);
  add(panes, 5, 100);
  EXPECT_TRUE(close(panes, 1'000'000).empty());
  EXPECT_EQ(close(panes, kTimeMax), (Fired{{{kTimeMin, kTimeMax}, 2}}));
  EXPECT_TRUE(close(panes, kTimeMax).empty());
}

}  // namespace
}  // namespace millrace::detail
