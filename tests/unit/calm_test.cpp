// Tests of what an idle executor does and when memory goes back: pure arithmetic over told times.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "record/batch_type.hpp"
#include "runtime/calm_after_peak.hpp"
#include "runtime/channel.hpp"
#include "runtime/idle_gap.hpp"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using Now = CalmAfterPeak::Now;
constexpr std::int64_t kMs = 1'000'000;

/// What was said over `ms` milliseconds, without the silences.
std::vector<Now> looks(CalmAfterPeak& calm, double busy, std::int64_t ms, std::int64_t& now) {
  std::vector<Now> said;
  for (const std::int64_t end = now + ms * kMs; now < end; now += 20 * kMs) {
    const Now one = calm.look(busy, now);
    if (one != Now::nothing) said.push_back(one);
  }
  return said;
}

TEST(CalmAfterPeak, MemoryGoesBackOnceAfterEachBusyTime) {
  CalmAfterPeak calm;
  std::int64_t now = 0;
  EXPECT_THAT(looks(calm, 0.05, 10'000, now), ElementsAre());
  for (int peak = 0; peak < 2; ++peak) {
    EXPECT_THAT(looks(calm, 0.9, 10'000, now), ElementsAre());
    EXPECT_THAT(looks(calm, 0.05, 1'900, now), ElementsAre());
    EXPECT_THAT(looks(calm, 0.05, 10'000, now), ElementsAre(Now::ask_tasks, Now::trim));
  }
}

TEST(CalmAfterPeak, NotBetweenTwoBursts) {
  CalmAfterPeak calm;
  std::int64_t now = 0;
  for (int burst = 0; burst < 20; ++burst) {
    EXPECT_THAT(looks(calm, 0.9, 500, now), ElementsAre());
    EXPECT_THAT(looks(calm, 0.05, 1'500, now), ElementsAre());
  }
}

TEST(IdleGap, SpinsForASpoutThatIsFastAndParksForOneThatIsSlow) {
  IdleGap gap;
  std::uint64_t polled = 0;
  for (std::int64_t now = 1000; now < 1'000'000; now += 10'000) gap.learn(now, ++polled);
  EXPECT_GE(gap.spin_ns(true), IdleGap::kSpinNs);
  EXPECT_LE(gap.spin_ns(true), 20'000);
  for (std::int64_t now = kMs; now < 1000 * kMs; now += kMs) gap.learn(now, ++polled);
  EXPECT_EQ(gap.spin_ns(true), IdleGap::kSpinNs) << "a millisecond is not worth spinning for";
  EXPECT_EQ(gap.spin_ns(false), IdleGap::kSpinNs);
  EXPECT_NEAR(static_cast<double>(gap.poll_ns()), 250'000, 20'000);
}

TEST(IdleGap, AsksAnIdleSourceWithinBounds) {
  IdleGap gap;
  EXPECT_EQ(gap.poll_ns(), IdleGap::kPollNsMin);
  std::uint64_t polled = 0;
  for (std::int64_t now = kMs; now < 100'000 * kMs; now += 1000 * kMs) gap.learn(now, ++polled);
  EXPECT_EQ(gap.poll_ns(), IdleGap::kPollNsMax);
}

TEST(Channel, FreesEmptyBatchesWhenAsked) {
  Channel channel(batch_type<std::int64_t>(), 4);
  const auto capacity = [](const BatchPtr& batch) {
    return static_cast<const Batch<std::int64_t>&>(*batch).values.capacity();
  };
  const auto use_one = [&] {
    BatchPtr batch = channel.take_empty();
    static_cast<Batch<std::int64_t>&>(*batch).values.resize(1000);
    channel.recycle(std::move(batch));
  };
  use_one();
  BatchPtr kept = channel.take_empty();
  EXPECT_GE(capacity(kept), 1000u);
  channel.recycle(std::move(kept));
  channel.drop_empties();
  EXPECT_EQ(capacity(channel.take_empty()), 0u);
}

}  // namespace
}  // namespace millrace::detail
