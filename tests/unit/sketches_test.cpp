// Sketches keep their stated errors, against exact sets, ranks and counts, over many seeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "aggregated.hpp"
#include "env/random.hpp"
#include "millrace/sketches.hpp"

namespace millrace::detail {
namespace {

struct Reading {
  double real = 0;
  std::int64_t number = 0;
  std::string text = {};
  std::optional<double> maybe = {};
};

template <class Spec>
auto aggregate_of(const Spec& spec, const std::vector<Reading>& readings, bool merged = false) {
  return aggregated(spec, readings, merged);
}

std::vector<Reading> reals(const std::vector<double>& list) {
  std::vector<Reading> readings;
  for (const double real : list) readings.push_back({.real = real, .maybe = real});
  return readings;
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Splits what is added over sketches and merges them in a random order.
template <class Sketch>
class Spread {
 public:
  Spread(Random& random, std::size_t parts, Sketch empty = {})
      : random_(random), parts_(parts, empty) {}
  Sketch& any() { return parts_[random_.below(parts_.size())]; }
  template <class Merge>
  Sketch merged(Merge&& merge) {
    while (parts_.size() > 1) {
      Sketch last = std::move(parts_.back());
      parts_.pop_back();
      merge(any(), last);
    }
    return parts_.front();
  }

 private:
  Random& random_;
  std::vector<Sketch> parts_;
};

TEST(DistinctSketch, IsExactUpToItsLimitAndNearBeyond) {
  Random random(11);
  const double sizes[] = {1, 10, 256, 257, 300, 1000, 5000, 20'000, 100'000};
  for (const double size : sizes) {
    double squares = 0;
    double errors = 0;
    constexpr int kRounds = 60;
    for (int round = 0; round < kRounds; ++round) {
      Spread<DistinctSketch> spread(random, 1 + random.below(6));
      // Neighbours, as identifiers are, from any place on; a third of them come again.
      const std::uint64_t from = random() >> 20;
      for (std::uint64_t at = 0; at < static_cast<std::uint64_t>(size); ++at) {
        spread.any().insert(mixed_hash(from + at));
        if (at % 3 == 0) spread.any().insert(mixed_hash(from + at));
      }
      const auto merge = [](DistinctSketch& a, const DistinctSketch& b) { a.merge(b); };
      const auto count = static_cast<double>(spread.merged(merge).count());
      if (size <= DistinctSketch::kExactMax) {
        ASSERT_EQ(count, size);
      }
      const double error = (count - size) / size;
      ASSERT_LT(std::abs(error), 5 * 0.0163) << size;
      squares += error * error;
      errors += error;
    }
    // The stated standard error, and no bias: within four standard errors of 60 draws.
    EXPECT_LT(std::sqrt(squares / kRounds), 0.0163 * 1.4) << size;
    EXPECT_LT(std::abs(errors / kRounds), 4 * 0.0163 / std::sqrt(kRounds)) << size;
  }
}

TEST(DistinctSketch, IsTheSameHoweverItWasMade) {
  Random random(12);
  for (int round = 0; round < 30; ++round) {
    DistinctSketch plain;
    Spread<DistinctSketch> spread(random, 1 + random.below(8));
    for (std::size_t left = random.below(round % 3 == 0 ? 300 : 3000); left > 0; --left) {
      const std::uint64_t hash = mixed_hash(random.below(2000));
      plain.insert(hash);
      spread.any().insert(hash);
    }
    const auto merge = [](DistinctSketch& a, const DistinctSketch& b) { a.merge(b); };
    ASSERT_EQ(spread.merged(merge).count(), plain.count());
  }
}

TEST(DistinctApprox, CountsWhatDistinctCounts) {
  auto readings = reals({kNan, -kNan, 0.0, -0.0, 1});
  EXPECT_EQ(aggregate_of(distinct_approx(&Reading::real), readings), 3);
  readings.push_back({});
  EXPECT_EQ(aggregate_of(distinct_approx(&Reading::maybe), readings, true), 3);
  EXPECT_EQ(aggregate_of(distinct_approx(&Reading::maybe), {Reading{}}), 0);
  EXPECT_EQ(aggregate_of(distinct_approx(&Reading::text, &Reading::number),
                         {{.text = "a"}, {.text = "a"}, {.number = 1, .text = "a"}}),
            2);
}

TEST(Quantile, OfFewIsExact) {
  for (const bool merged : {false, true}) {
    const auto of = [merged](double share, const std::vector<double>& list) {
      return aggregate_of(quantile(&Reading::real, share), reals(list), merged);
    };
    EXPECT_EQ(of(0, {3, 1, 2, 4}), 1);
    EXPECT_EQ(of(0.25, {3, 1, 2, 4}), 1);
    EXPECT_EQ(of(0.26, {3, 1, 2, 4}), 2);
    EXPECT_EQ(of(0.5, {3, 1, 2, 4}), 2);
    EXPECT_EQ(of(1, {3, 1, 2, 4}), 4);
    EXPECT_EQ(of(0.5, {7}), 7);
    EXPECT_EQ(of(0.5, {-INFINITY, INFINITY, 5}), 5);
    EXPECT_EQ(of(1, {-INFINITY, INFINITY, 5}), INFINITY);
    EXPECT_TRUE(std::isnan(of(0.5, {1, kNan, 2})));
    EXPECT_EQ(aggregate_of(median(&Reading::real), reals({9, 1, 5}), merged), 5);
    EXPECT_EQ(aggregate_of(quantiles(&Reading::real, {1, 0, 0.5}), reals({9, 1, 5}), merged),
              (std::vector<double>{9, 1, 5}));
  }
  EXPECT_EQ(aggregate_of(quantile(&Reading::maybe, 0.5), {Reading{}}), std::nullopt);
  EXPECT_EQ(aggregate_of(quantile(&Reading::maybe, 0.5), {Reading{}, Reading{.maybe = 2}}), 2.0);
}

/// How far the rank of a quantile of `sorted` lies from its share.
double rank_error(const std::vector<double>& sorted, double number, double share) {
  const auto [from, to] = std::equal_range(sorted.begin(), sorted.end(), number);
  const auto count = static_cast<double>(sorted.size());
  const double least = static_cast<double>(from - sorted.begin()) / count;
  const double most = static_cast<double>(to - sorted.begin()) / count;
  return std::max({0.0, least - share, share - most});
}

/// Numbers as they come: sorted, reversed, many equal, skewed.
std::vector<double> draw_numbers(Random& random, std::size_t size, int kind) {
  std::vector<double> numbers;
  for (std::size_t at = 0; at < size; ++at) {
    const auto place = static_cast<double>(at);
    const double unit = random.unit();
    numbers.push_back(kind == 0   ? unit
                      : kind == 1 ? place
                      : kind == 2 ? -place
                      : kind == 3 ? std::floor(unit * 5)
                                  : std::exp(20 * unit));
  }
  return numbers;
}

TEST(QuantileSketch, KeepsItsRankErrorInAnyOrderAndHoweverItIsMerged) {
  Random random(13);
  int beyond = 0;
  int drawn = 0;
  int sketched = 0;
  for (int round = 0; round < 300; ++round) {
    const std::size_t size = random.chance(0.2) ? 1 + random.below(800) : 1 + random.below(30'000);
    std::vector<double> numbers = draw_numbers(random, size, round % 5);
    Spread<QuantileSketch> spread(random, 1 + random.below(10));
    for (const double number : numbers) spread.any().add(number);
    const QuantileSketch sketch =
        spread.merged([](QuantileSketch& a, const QuantileSketch& b) { a.merge(b); });
    ASSERT_EQ(sketch.count(), size);
    std::sort(numbers.begin(), numbers.end());
    const std::vector<double> shares = {0, 0.01, 0.25, 0.5, 0.75, 0.99, 1};
    const std::vector<double> found = sketch.quantiles(shares);
    EXPECT_EQ(found.front(), numbers.front());
    EXPECT_EQ(found.back(), numbers.back());
    double worst = 0;
    for (std::size_t at = 0; at < shares.size(); ++at) {
      worst = std::max(worst, rank_error(numbers, found[at], shares[at]));
    }
    if (size <= QuantileSketch::kWidth) {
      EXPECT_EQ(worst, 0);
    }
    EXPECT_LT(worst, 0.02) << size;
    ++drawn;
    beyond += worst > 0.01;
    sketched += worst > 0;
  }
  EXPECT_LE(beyond * 100, drawn);
  EXPECT_GT(sketched, drawn / 4) << "the sketches kept all numbers";
}

/// A coin that always falls one way would pass for random numbers, and drift for sorted ones that
/// come by the million.
TEST(QuantileSketch, DoesNotDriftOverAMillion) {
  QuantileSketch sketch;
  constexpr std::int64_t kCount = 1'000'000;
  for (std::int64_t at = 0; at < kCount; ++at) sketch.add(static_cast<double>(at));
  for (const double share : {0.1, 0.5, 0.9, 0.99}) {
    EXPECT_NEAR(sketch.quantiles({share}).front() / kCount, share, 0.01);
  }
}

using Counts = std::vector<std::pair<std::int64_t, std::int64_t>>;
template <class V>
Counts counts_of(const std::vector<Frequent<V>>& found) {
  Counts counts;
  for (const Frequent<V>& one : found) {
    counts.emplace_back(static_cast<std::int64_t>(one.value), one.count);
  }
  return counts;
}

TEST(TopK, IsExactWithTiesByValue) {
  std::vector<Reading> readings;
  for (const std::int64_t number : {5, 3, 3, 9, 9, 1, 7, 7, 7})
    readings.push_back({.number = number});
  for (const bool merged : {false, true}) {
    const Counts wanted = {{7, 3}, {3, 2}, {9, 2}};
    EXPECT_EQ(counts_of(aggregate_of(top_k(&Reading::number, 3), readings, merged)), wanted);
    EXPECT_EQ(counts_of(aggregate_of(top_k_approx(&Reading::number, 3), readings, merged)), wanted);
    EXPECT_EQ(aggregate_of(top_k(&Reading::number, 100), readings, merged).size(), 5u);
  }
  const auto special = aggregate_of(top_k(&Reading::real, 9), reals({kNan, -0.0, 0.0, -kNan, 0.0}));
  ASSERT_EQ(special.size(), 2u);
  EXPECT_EQ(special[0].count, 3);
  EXPECT_FALSE(std::signbit(special[0].value));
  EXPECT_TRUE(std::isnan(special[1].value));
  EXPECT_TRUE(aggregate_of(top_k(&Reading::maybe, 9), {Reading{}}).empty());
}

TEST(TopKApprox, KeepsItsBoundsHoweverItIsMerged) {
  Random random(14);
  int pushed_out = 0;
  for (int round = 0; round < 200; ++round) {
    const std::size_t counters = 5 + random.below(40);
    const std::size_t values = 1 + random.below(300);
    const auto kernel = top_k_approx(&Reading::number, counters, counters).kernel<Reading>();
    auto empty = kernel.init();
    Spread<decltype(empty)> spread(random, 1 + random.below(6), empty);
    std::map<std::int64_t, std::int64_t> exact;
    std::int64_t count = 0;
    for (std::size_t left = random.below(5000); left > 0; --left, ++count) {
      // Skewed: the square of a draw is mostly small.
      const std::uint64_t draw = random.below(1 + random.below(values));
      const Reading reading{.number = static_cast<std::int64_t>(draw)};
      ++exact[reading.number];
      kernel.put(spread.any(), kernel.take(reading, {}));
    }
    const auto found =
        kernel.result(spread.merged([&](auto& a, const auto& b) { kernel.merge(a, b); }));
    const std::int64_t bound = count / static_cast<std::int64_t>(counters);
    std::set<std::int64_t> present;
    for (const auto& one : found) {
      const std::int64_t truth = exact[one.value];
      ASSERT_GE(one.count, truth);
      ASSERT_LE(one.count - one.error, truth);
      ASSERT_LE(one.error, bound);
      pushed_out += one.error > 0;
      present.insert(one.value);
    }
    for (const auto& [value, times] : exact) {
      if (times > bound) {
        ASSERT_TRUE(present.contains(value)) << value;
      }
    }
  }
  EXPECT_GT(pushed_out, 1000) << "the counters were enough for all values";
}

TEST(Sketches, SayWhatIsWrongWithTheirOptions) {
  const auto problem = [](const auto& spec) {
    return spec.template kernel<Reading>().problem().to_string();
  };
  EXPECT_NE(problem(quantile(&Reading::real, 99)).find("the 99th percentile is 0.99"),
            std::string::npos);
  EXPECT_NE(problem(quantile(&Reading::real, kNan)).find("found nan"), std::string::npos);
  EXPECT_NE(problem(quantiles(&Reading::real, {})).find("one share or more"), std::string::npos);
  EXPECT_NE(problem(top_k(&Reading::text, 0)).find("top_k keeps no value"), std::string::npos);
  EXPECT_NE(problem(top_k_approx(&Reading::text, 10, 9)).find("has 9 counters"), std::string::npos);
}

}  // namespace
}  // namespace millrace::detail
