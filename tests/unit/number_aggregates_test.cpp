// Statistics of numbers at their edges: variance that keeps its digits, sums that round once.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "aggregated.hpp"
#include "env/random.hpp"
#include "millrace/statistics.hpp"

namespace millrace::detail {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kGreatest = std::numeric_limits<double>::max();
constexpr double kSmallest = std::numeric_limits<double>::denorm_min();

struct Reading {
  double real = 0;
  std::int64_t number = 0;
  Decimal<2> price{};
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

TEST(Variance, KeepsItsDigitsFarFromZero) {
  for (const bool merged : {false, true}) {
    for (const double base : {0.0, 1e9, -1e9, 1e12}) {
      const auto readings = reals({base + 4, base + 7, base + 13, base + 16});
      EXPECT_DOUBLE_EQ(aggregate_of(variance(&Reading::real), readings, merged), 30) << base;
      EXPECT_DOUBLE_EQ(aggregate_of(var_pop(&Reading::real), readings, merged), 22.5) << base;
      EXPECT_DOUBLE_EQ(aggregate_of(stddev(&Reading::real), readings, merged), std::sqrt(30.0));
      EXPECT_DOUBLE_EQ(aggregate_of(stddev_pop(&Reading::real), readings, merged), std::sqrt(22.5));
    }
  }
}

TEST(Variance, OfIntegersAndDecimals) {
  const std::vector<Reading> readings = {{.number = 1, .price = Decimal<2>{150}},
                                         {.number = 4, .price = Decimal<2>{250}}};
  EXPECT_DOUBLE_EQ(aggregate_of(variance(&Reading::number), readings), 4.5);
  EXPECT_DOUBLE_EQ(aggregate_of(variance(&Reading::price), readings), 0.5);
}

TEST(Variance, OfOneIsZeroOfAllAndNothingOfASample) {
  EXPECT_EQ(aggregate_of(var_pop(&Reading::real), reals({7})), 0);
  EXPECT_TRUE(std::isnan(aggregate_of(variance(&Reading::real), reals({7}))));
  EXPECT_TRUE(std::isnan(aggregate_of(stddev(&Reading::real), reals({7}))));
}

TEST(Variance, PassesOverWhatIsAbsent) {
  auto readings = reals({1, 5});
  readings.emplace_back();
  EXPECT_EQ(aggregate_of(variance(&Reading::maybe), readings), std::optional(8.0));
  EXPECT_EQ(aggregate_of(variance(&Reading::maybe), {Reading{}}), std::nullopt);
}

TEST(Variance, OfWhatIsNotFiniteOrTooFarApartIsNan) {
  for (const bool merged : {false, true}) {
    for (const auto& list : {std::vector<double>{1, kNan, 2},
                             {1, kInfinite, 2},
                             {-kInfinite, kInfinite, 2},
                             {kGreatest, -kGreatest, 2},
                             {1e200, -1e200, 2}}) {
      EXPECT_TRUE(std::isnan(aggregate_of(var_pop(&Reading::real), reals(list), merged)));
    }
  }
}

TEST(ExactSum, RoundsOnceAtTheEnd) {
  const auto sum_of = [](const std::vector<double>& list, bool merged) {
    return aggregate_of(exact_sum(&Reading::real), reals(list), merged);
  };
  for (const bool merged : {false, true}) {
    EXPECT_EQ(sum_of({1e16, 1, -1e16}, merged), 1);
    EXPECT_EQ(sum_of({0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, merged), 1);
    EXPECT_EQ(sum_of({kGreatest, kGreatest, -kGreatest, -kGreatest, 0.5}, merged), 0.5);
    EXPECT_EQ(sum_of({kGreatest, kSmallest, -kGreatest}, merged), kSmallest);
    EXPECT_EQ(sum_of({kSmallest, kSmallest, -3 * kSmallest}, merged), -kSmallest);
    EXPECT_EQ(sum_of({-1e308, -1e308}, merged), -kInfinite);
    // Half of the last place: to even, unless anything lies below.
    EXPECT_EQ(sum_of({1, 0x1p-53}, merged), 1);
    EXPECT_EQ(sum_of({1 + 0x1p-52, 0x1p-53}, merged), 1 + 0x1p-51);
    EXPECT_EQ(sum_of({1, 0x1p-53, kSmallest}, merged), 1 + 0x1p-52);
    EXPECT_EQ(sum_of({1, 0x1p-53, -kSmallest}, merged), 1);
    // The greatest double and half its last place are infinite; a little less is not.
    EXPECT_EQ(sum_of({kGreatest, 0x1p970}, merged), kInfinite);
    EXPECT_EQ(sum_of({kGreatest, 0x1p970, -kSmallest}, merged), kGreatest);
  }
}

TEST(ExactSum, OfWhatIsNotFinite) {
  for (const bool merged : {false, true}) {
    const auto sum_of = [merged](const std::vector<double>& list) {
      return aggregate_of(exact_sum(&Reading::real), reals(list), merged);
    };
    EXPECT_EQ(sum_of({1, kInfinite, 2}), kInfinite);
    EXPECT_EQ(sum_of({1, -kInfinite, 2}), -kInfinite);
    EXPECT_TRUE(std::isnan(sum_of({kInfinite, -kInfinite})));
    EXPECT_TRUE(std::isnan(sum_of({1, kNan})));
    EXPECT_FALSE(std::signbit(sum_of({-0.0, -0.0})));
    EXPECT_FALSE(std::signbit(sum_of({-0.5, 0.5})));
  }
  EXPECT_EQ(aggregate_of(exact_sum(&Reading::maybe), {Reading{}}), 0);
}

/// Shewchuk's partials, rounded as Python's fsum does: another way to the same double.
double sum_by_partials(const std::vector<double>& numbers) {
  std::vector<double> partials;
  for (double number : numbers) {
    std::size_t kept = 0;
    for (double partial : partials) {
      if (std::abs(number) < std::abs(partial)) std::swap(number, partial);
      const double high = number + partial;
      const double low = partial - (high - number);
      if (low != 0) partials[kept++] = low;
      number = high;
    }
    partials.resize(kept);
    partials.push_back(number);
  }
  double sum = 0;
  double low = 0;
  while (!partials.empty() && low == 0) {
    const double before = sum;
    const double next = partials.back();
    partials.pop_back();
    sum = before + next;
    low = next - (sum - before);
  }
  if (!partials.empty() && (low < 0) == (partials.back() < 0)) {
    const double twice = low * 2;
    if (twice == (sum + twice) - sum) sum += twice;
  }
  return sum;
}

TEST(ExactSum, EqualsShewchuksInAnyOrderAndHoweverItIsJoined) {
  Random random(7);
  int rounded_otherwise = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<double> numbers;
    const std::int64_t range = random.between(1, random.chance(0.7) ? 60 : 900);
    const std::size_t count = 1 + random.below(round % 50 == 0 ? 5000 : 60);
    for (std::size_t at = 0; at < count; ++at) {
      const double number =
          std::ldexp(random.unit() - 0.5, static_cast<int>(random.between(-range, range)));
      numbers.push_back(number);
      if (random.chance(0.3)) numbers.push_back(-number);
    }
    const double wanted = sum_by_partials(numbers);
    double plain = 0;
    for (const double number : numbers) plain += number;
    rounded_otherwise += plain != wanted;
    for (std::size_t at = numbers.size(); at > 1; --at) {
      std::swap(numbers[at - 1], numbers[random.below(at)]);
    }
    std::vector<ExactSum> parts(1 + random.below(5));
    for (const double number : numbers) parts[random.below(parts.size())].add(number);
    for (std::size_t at = 1; at < parts.size(); ++at) parts[0].merge(parts[at]);
    ASSERT_EQ(parts[0].value(), wanted) << "round " << round;
  }
  EXPECT_GT(rounded_otherwise, 100) << "the numbers were too tame";
}

}  // namespace
}  // namespace millrace::detail
