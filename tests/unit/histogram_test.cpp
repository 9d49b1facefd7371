// Tests of Histogram: each bucket holds its values, and quantiles err by at most a sixteenth.
#include "metrics/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "env/random.hpp"

namespace millrace::detail {
namespace {

using Counts = std::array<std::uint64_t, Histogram::kBuckets>;

TEST(Histogram, EveryBucketEndsAtItsUpperValue) {
  for (std::size_t at = 0; at < Histogram::kBuckets; ++at) {
    EXPECT_EQ(Histogram::index(Histogram::upper(at)), at);
    if (at + 1 < Histogram::kBuckets) {
      EXPECT_EQ(Histogram::index(Histogram::upper(at) + 1), at + 1);
    }
  }
  EXPECT_EQ(Histogram::index(~std::uint64_t{0}), Histogram::kBuckets - 1);
}

TEST(Histogram, AValueIsShownAtMostASixteenthTooGreat) {
  Random random(1);
  for (int at = 0; at < 10'000; ++at) {
    const std::uint64_t value = random() >> (24 + random.below(40));
    const std::uint64_t shown = Histogram::upper(Histogram::index(value));
    ASSERT_GE(shown, value);
    ASSERT_LE(static_cast<double>(shown - value), static_cast<double>(value) / 16) << value;
  }
}

TEST(Histogram, QuantilesEqualThoseOfTheSortedValues) {
  Random random(2);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int at = 0; at < 5'000; ++at) {
    values.push_back(random.below(std::uint64_t{1} << random.below(30)));
    histogram.add(values.back());
  }
  std::sort(values.begin(), values.end());
  Counts counts{};
  histogram.merge_into(counts);
  for (const double share : {0.0, 0.1, 0.5, 0.9, 0.99, 1.0}) {
    const auto rank = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
    const std::uint64_t exact = values[rank];
    EXPECT_EQ(Histogram::quantile(counts, share), Histogram::upper(Histogram::index(exact)))
        << share;
  }
}

TEST(Histogram, AnEmptyOneHasNoQuantile) { EXPECT_EQ(Histogram::quantile(Counts{}, 0.5), 0u); }

}  // namespace
}  // namespace millrace::detail
