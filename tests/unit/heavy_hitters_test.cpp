// Tests of HeavyHitters: the hot key among many is found, its share is about right, old ones fade.
#include "metrics/heavy_hitters.hpp"

#include <gtest/gtest.h>

#include <random>

namespace millrace::detail {
namespace {

HeavyHitters::Hit hottest(const HeavyHitters& keys, std::uint64_t& samples) {
  std::vector<HeavyHitters::Hit> hits;
  samples = keys.merge_into(hits);
  return *std::ranges::max_element(hits, {}, &HeavyHitters::Hit::count);
}

TEST(HeavyHitters, FindsAHotKeyAmongMany) {
  HeavyHitters keys;
  std::mt19937_64 random(7);
  for (int sample = 0; sample < 3000; ++sample) {
    const std::uint64_t hash = random() % 10 < 4 ? 1 : 100 + random() % 5000;
    keys.add(hash, [&] { return "key " + std::to_string(hash); });
  }
  std::uint64_t samples = 0;
  const auto hit = hottest(keys, samples);
  EXPECT_EQ(samples, 3000u);
  EXPECT_EQ(hit.text, "key 1");
  const double share = static_cast<double>(hit.count) / static_cast<double>(samples);
  EXPECT_GE(share, 0.36);
  EXPECT_LE(share, 0.44 + 1.0 / HeavyHitters::kSlots);
}

TEST(HeavyHitters, OldSamplesFade) {
  HeavyHitters keys;
  for (int sample = 0; sample < 4000; ++sample) keys.add(1, [] { return "before"; });
  for (int sample = 0; sample < 20'000; ++sample) keys.add(2, [] { return "now"; });
  std::uint64_t samples = 0;
  const auto hit = hottest(keys, samples);
  EXPECT_EQ(hit.text, "now");
  EXPECT_LT(samples, 4096u);
  EXPECT_GT(static_cast<double>(hit.count) / static_cast<double>(samples), 0.9);
}

TEST(HeavyHitters, SumsTheCountsOfSeveralSenders) {
  HeavyHitters first;
  HeavyHitters second;
  for (int sample = 0; sample < 3; ++sample) first.add(9, [] { return "k"; });
  for (int sample = 0; sample < 4; ++sample) second.add(9, [] { return "k"; });
  std::vector<HeavyHitters::Hit> hits;
  EXPECT_EQ(first.merge_into(hits) + second.merge_into(hits), 7u);
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits.front().count, 7u);
}

}  // namespace
}  // namespace millrace::detail
