// Edges of aggregates: overflow, NaN, absent values, ties, sets of values.
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "aggregated.hpp"
#include "millrace/aggregates.hpp"
#include "operator/keyed.hpp"

namespace millrace::detail {
namespace {

struct Reading {
  std::int64_t number = 0;
  std::uint64_t large = 0;
  double real = 0;
  bool flag = false;
  std::optional<double> maybe = {};
  std::string_view text = {};
};

template <class Spec>
auto aggregate_of(const Spec& spec, const std::vector<Reading>& readings, bool merged = false) {
  return aggregated(spec, readings, merged);
}

std::vector<Reading> numbers(std::initializer_list<std::int64_t> list) {
  std::vector<Reading> readings;
  for (const std::int64_t number : list) readings.emplace_back().number = number;
  return readings;
}

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();

TEST(Sum, OfIntegersIsRefusedBeyondSixtyFourBits) {
  for (const bool merged : {false, true}) {
    EXPECT_EQ(aggregate_of(sum(&Reading::number), numbers({kMost - 1, 1}), merged), kMost);
    EXPECT_EQ(aggregate_of(sum(&Reading::number), numbers({-kMost, kMost}), merged), 0);
    EXPECT_THROW(aggregate_of(sum(&Reading::number), numbers({kMost, 1}), merged),
                 std::overflow_error);
    EXPECT_THROW(aggregate_of(sum(&Reading::number), numbers({-kMost, -1}), merged),
                 std::overflow_error);
    // Once beyond its range a sum stays refused, whatever follows.
    EXPECT_THROW(aggregate_of(sum(&Reading::number), numbers({kMost, 1, -5, kMost}), merged),
                 std::overflow_error);
  }
  Reading large;
  large.large = std::numeric_limits<std::uint64_t>::max();
  EXPECT_THROW(aggregate_of(sum(&Reading::large), {large}), std::overflow_error);
}

TEST(Sum, CountsTruthsAndPassesOverWhatIsAbsent) {
  Reading yes;
  yes.flag = true;
  yes.maybe = 1.5;
  EXPECT_EQ(aggregate_of(sum(&Reading::flag), {yes, {}, yes}), 2);
  EXPECT_EQ(aggregate_of(sum(&Reading::maybe), {yes, {}, yes}), 3.0);
}

TEST(MinMax, OfNanIsNanWhateverTheOrder) {
  const auto real = [](double number) { return Reading{.real = number}; };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const bool merged : {false, true}) {
    for (const auto& readings : {std::vector<Reading>{real(nan), real(1), real(2)},
                                 {real(1), real(nan), real(2)},
                                 {real(2), real(1), real(nan)}}) {
      EXPECT_TRUE(std::isnan(aggregate_of(min(&Reading::real), readings, merged)));
      EXPECT_TRUE(std::isnan(aggregate_of(max(&Reading::real), readings, merged)));
    }
    EXPECT_FALSE(std::signbit(aggregate_of(max(&Reading::real), {real(0.0), real(-0.0)}, merged)));
    EXPECT_TRUE(std::signbit(aggregate_of(min(&Reading::real), {real(0.0), real(-0.0)}, merged)));
  }
}

TEST(MinMax, TakeTextsAndOptionals) {
  const auto text = [](std::string_view value) { return Reading{.text = value}; };
  EXPECT_EQ(aggregate_of(max(&Reading::text), {text("a"), text("\xc3\xa9"), text("z")}),
            std::string("\xc3\xa9"));
  EXPECT_EQ(aggregate_of(min(&Reading::maybe), {Reading{}, Reading{}}), std::nullopt);
  EXPECT_EQ(aggregate_of(min(&Reading::maybe), {Reading{}, Reading{.maybe = 2.5}}), 2.5);
}

TEST(Mean, IsExactForIntegersAndEmptyWithoutValues) {
  EXPECT_EQ(aggregate_of(mean(&Reading::number), numbers({kMost, kMost})),
            static_cast<double>(kMost));
  EXPECT_EQ(aggregate_of(mean(&Reading::maybe), {Reading{}}), std::nullopt);
  const auto weighted = mean(&Reading::real, &Reading::number);
  EXPECT_EQ(aggregate_of(weighted, {{.number = 1, .real = 10}, {.number = 3, .real = 2}}), 4.0);
  EXPECT_TRUE(std::isnan(aggregate_of(weighted, {{.number = 0, .real = 10}})));
}

TEST(Distinct, HoldsOneNanAndOneZero) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<Reading> readings;
  for (const double real : {0.0, -0.0, nan, -nan, 1.0, 1.0}) readings.push_back({.real = real});
  EXPECT_EQ(aggregate_of(distinct(&Reading::real), readings), 3);
  EXPECT_EQ(aggregate_of(distinct(&Reading::maybe), readings), 0);
  // Texts of several members do not run into one another.
  EXPECT_EQ(aggregate_of(distinct(&Reading::text, [](const Reading& r) { return r.number > 0; }),
                         {{.number = 0, .text = "a"}, {.number = 1, .text = "a"}, {.text = "a"}}),
            2);
}

TEST(Distinct, EqualsASetForManyValues) {
  std::mt19937_64 random(7);
  std::set<std::uint64_t> words;
  std::set<std::string> texts;
  WordSet word_set;
  WordSet more_words;
  TextSet text_set;
  TextSet more_texts;
  for (int at = 0; at < 20'000; ++at) {
    const std::uint64_t word = random() % 7'000;
    const std::string text(static_cast<std::size_t>(word % 40), static_cast<char>(word % 251));
    words.insert(word);
    texts.insert(text);
    (at % 2 == 0 ? word_set : more_words).insert(word);
    (at % 2 == 0 ? text_set : more_texts).insert(text);
  }
  word_set.merge(more_words);
  text_set.merge(more_texts);
  EXPECT_EQ(word_set.size(), words.size());
  EXPECT_EQ(text_set.size(), texts.size());
}

TEST(Arrival, OfRecordsMadeOfOneKeepTheirOrder) {
  const Arrival root = Arrival::at(3, 1, 7);
  std::vector<Arrival> order;
  for (std::uint64_t at = 0; at < 70; ++at) {
    for (std::uint64_t inner = 0; inner < 9; ++inner) {
      order.push_back(root.child(at).child(inner));
    }
  }
  for (std::size_t at = 1; at < order.size(); ++at) ASSERT_LT(order[at - 1], order[at]) << at;
  EXPECT_LT(root.child(69), root.child(70));
  EXPECT_LT(root.child(200'000), root.child(200'001));
  EXPECT_LT(order.back(), Arrival::at(3, 1, 8));
  EXPECT_LT(order.back(), Arrival::at(3, 2, 0));
  EXPECT_LT(order.back(), Arrival::at(4, 0, 0));
}

}  // namespace
}  // namespace millrace::detail
