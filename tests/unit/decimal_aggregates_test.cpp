// Tests of aggregates of Decimals against sums in 128 bits, by key and window, and at their edges.
#include <gmock/gmock.h>

#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "run_harness.hpp"

namespace millrace::detail {
namespace {

using testing::HasSubstr;
using Price = Decimal<2>;

struct Sale {
  std::int32_t shop = 0;
  std::int64_t time = 0;
  Price price;
  std::optional<Decimal<8>> weight;
};

struct Row {
  Price sum;
  Price least;
  Price greatest;
  double mean = 0;
  std::int64_t prices = 0;
  std::optional<Decimal<8>> lightest;
  double weighted = 0;
};

__extension__ using Wide = __int128;

std::vector<Sale> draw(std::mt19937_64& random, std::size_t count) {
  std::vector<Sale> sales;
  for (std::size_t at = 0; at < count; ++at) {
    Sale sale{static_cast<std::int32_t>(random() % 5), static_cast<std::int64_t>(at), {}, {}};
    // Some as large as two thousandths of the range: hundreds of a key and window fit.
    sale.price.units = static_cast<std::int64_t>(random() % 7 == 0 ? random() : random() % 100'000);
    sale.price.units = (sale.price.units % 20'000'000'000'000'000) * (random() % 2 ? 1 : -1);
    if (random() % 3 != 0) sale.weight = Decimal<8>{static_cast<std::int64_t>(random() % 1000)};
    sales.push_back(sale);
  }
  return sales;
}

using Groups = std::map<std::pair<std::int32_t, Time>, std::vector<Sale>>;

/// The quotient rounded once: what a mean must be, but for the last bit.
double mean_of(Wide units, std::size_t count, std::int64_t scale) {
  return static_cast<double>(static_cast<long double>(units) / static_cast<long double>(count) /
                             static_cast<long double>(scale));
}

void check(const Row& row, const std::vector<Sale>& sales) {
  Wide sum = 0;
  std::set<std::int64_t> prices;
  std::optional<std::int64_t> lightest;
  for (const Sale& sale : sales) {
    sum += sale.price.units;
    prices.insert(sale.price.units);
    if (sale.weight) {
      lightest = std::min(lightest.value_or(sale.weight->units), sale.weight->units);
    }
  }
  EXPECT_TRUE(Wide{row.sum.units} == sum);
  EXPECT_EQ(row.least.units, *prices.begin());
  EXPECT_EQ(row.greatest.units, *prices.rbegin());
  EXPECT_DOUBLE_EQ(row.mean, mean_of(sum, sales.size(), 100));
  EXPECT_EQ(row.prices, static_cast<std::int64_t>(prices.size()));
  EXPECT_EQ(row.lightest.has_value(), lightest.has_value());
  if (row.lightest && lightest) {
    EXPECT_EQ(row.lightest->units, *lightest);
  }
}

TEST(DecimalAggregates, AreExactByKeyAndWindow) {
  for (const std::uint64_t seed : {0u, 1u, 2u, 3u}) {
    std::mt19937_64 random(seed);
    const std::vector<Sale> sales = draw(random, 2000);
    Groups groups;
    for (const Sale& sale : sales) {
      groups[{sale.shop, sale.time / 500 * 500 + 500}].push_back(sale);
    }
    Topology topology("x");
    std::map<std::pair<std::int32_t, Time>, Row> rows;
    topology.from(records<Sale>({sales}))
        .event_time(&Sale::time)
        .key_by(&Sale::shop)
        .window(tumbling(500us))
        .aggregate(sum(&Sale::price).as(&Row::sum), min(&Sale::price).as(&Row::least),
                   max(&Sale::price).as(&Row::greatest), mean(&Sale::price).as(&Row::mean),
                   distinct(&Sale::price).as(&Row::prices), min(&Sale::weight).as(&Row::lightest))
        .to(each([&rows](const auto& row) { rows[{row.key, row.window_end}] = row.value; }));
    const Ended done = simulate(topology, seed, {.parallelism = 3}, {.batch_records_max = 50});
    EXPECT_TRUE(done.status.ok()) << done.status.to_string();
    ASSERT_EQ(rows.size(), groups.size());
    for (const auto& [place, row] : rows) check(row, groups[place]);
  }
}

template <class Spec>
auto aggregate_of(const Spec& spec, const std::vector<std::int64_t>& units, bool merged) {
  const auto kernel = spec.template kernel<Sale>();
  auto acc = kernel.init();
  for (const std::int64_t each_units : units) {
    auto one = kernel.init();
    kernel.put(merged ? one : acc, kernel.take(Sale{.price = {each_units}}, {}));
    if (merged) kernel.merge(acc, one);
  }
  return kernel.result(acc);
}

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();

TEST(DecimalAggregates, KeepTheWholeRangeAndRefuseWhatLiesBeyond) {
  for (const bool merged : {false, true}) {
    const auto total = [merged](const std::vector<std::int64_t>& units) {
      return aggregate_of(sum(&Sale::price), units, merged);
    };
    EXPECT_EQ(total({kMost - 1, 1}), Price{kMost});
    EXPECT_EQ(total({-kMost, kMost, -kMost}), Price{-kMost});
    EXPECT_THROW((void)total({kMost, 1}), std::overflow_error);
    EXPECT_THROW((void)total({-kMost, -1}), std::overflow_error);
    EXPECT_THROW((void)total({kMost, 1, -5}), std::overflow_error);
    EXPECT_EQ(aggregate_of(mean(&Sale::price), {kMost, kMost, kMost}, merged),
              static_cast<double>(static_cast<long double>(kMost) / 100));
    EXPECT_EQ(aggregate_of(mean(&Sale::price), {10, 20}, merged), 0.15);
    EXPECT_EQ(aggregate_of(min(&Sale::price), {5, -kMost, 7}, merged), Price{-kMost});
    EXPECT_EQ(aggregate_of(max(&Sale::price), {5, kMost, 7}, merged), Price{kMost});
  }
}

TEST(DecimalAggregates, OfASumBeyondTheRangeIsADeadLetterThatSaysWhatToDo) {
  Topology topology("x");
  std::vector<std::string> rows;
  topology.from(records<Sale>({{{1, 0, {kMost}, {}}, {1, 1, {1}, {}}, {2, 2, {150}, {}}}}))
      .event_time(&Sale::time)
      .key_by(&Sale::shop)
      .window(tumbling(1h))
      .sum(&Sale::price)
      .top(3)
      .to(each([&rows](const auto& row) {
        std::string text;
        append_json(text, row);
        rows.push_back(text);
      }));
  const Ended done = run(topology);
  EXPECT_TRUE(done.status.ok()) << done.status.to_string();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_THAT(rows.front(), HasSubstr("1.50"));
  ASSERT_EQ(done.report.recent_dead_letters.size(), 1u);
  EXPECT_THAT(done.report.recent_dead_letters.front().reason, HasSubstr("fewer places"));
}

TEST(DecimalAggregates, AMeanMayBeWeightedByDecimals) {
  struct Fill {
    Price price;
    Decimal<3> volume;
  };
  const auto kernel = mean(&Fill::price, &Fill::volume).kernel<Fill>();
  auto acc = kernel.init();
  for (const Fill& fill : {Fill{{1000}, {1'000}}, Fill{{200}, {3'000}}}) {
    kernel.put(acc, kernel.take(fill, {}));
  }
  EXPECT_EQ(kernel.result(acc), 4.0);
}

}  // namespace
}  // namespace millrace::detail
