// Tests of what joins keep: how much, how long, and that a hot key costs no more than its matches.
#include <gtest/gtest.h>

#include <algorithm>

#include "millrace/joined_stream.hpp"
#include "source_harness.hpp"

namespace millrace::detail {
namespace {

struct Item {
  std::int64_t key = 0;
  std::string_view text;
};
struct Both {
  std::int64_t left = 0;
  std::int64_t right = 0;
};

using ItemKey = KeyFn<Item, std::int64_t Item::*>;
const auto kKey = std::make_shared<const TypedKeyHash<Item, ItemKey>>(ItemKey(&Item::key));

const auto kBoth = [](const Item* left, const Item* right) {
  return Both{left != nullptr ? left->key : 0, right != nullptr ? right->key : 0};
};
template <JoinKind kKind>
using Maker = PairMaker<kKind, decltype(kBoth)>;

class Counted final : public Outputs {
 public:
  void push(std::uint32_t port, BatchBase& batch) override {
    if (port == 0) rows += batch.size();
  }
  bool has_readers(std::uint32_t port) const override { return port == 0; }
  void advance_watermark(Time) override {}
  std::size_t rows = 0;
};

/// An operator beside what it is given, and what it keeps.
struct Bench {
  explicit Bench(std::unique_ptr<Operator> tested) : op(std::move(tested)) {
    context.dead_letters = &harness.dead_letters;
    context.tally = &tally;
    context.state = &state;
    op->open(context);
  }
  /// One record of each of `keys` keys from `first` on at `time`.
  void give(std::uint32_t side, Time time, std::int64_t keys, std::int64_t first = 0) {
    Batch<Item> batch;
    for (std::int64_t key = first; key < first + keys; ++key) {
      batch.values.push_back({key, "a text that is longer than what a string holds itself"});
      batch.times.push_back(time);
    }
    op->process_input(side, batch, false, out);
  }

  SourceHarness harness;
  Tally tally;
  MemoryMeter state;
  OperatorContext context;
  Counted out;
  std::unique_ptr<Operator> op;  ///< goes before what counts its memory
};

/// The most that is kept while both sides come at every microsecond up to `until`, and in the end.
std::pair<std::uint64_t, std::uint64_t> bytes_kept(std::unique_ptr<Operator> op, Time until) {
  Bench bench(std::move(op));
  for (Time now = 0; now < until; ++now) {
    bench.give(0, now, 50);
    bench.give(1, now, 50);
    bench.op->advance(now, bench.out);
  }
  const std::uint64_t peak = bench.state.peak_bytes();
  bench.op->advance(kTimeMax, bench.out);
  return {peak, bench.state.bytes()};
}

template <JoinKind kKind>
std::unique_ptr<Operator> interval_join(Duration before, Duration after) {
  using Op = IntervalJoin<Item, ItemKey, Item, ItemKey, Both, Maker<JoinKind::full>>;
  return std::make_unique<Op>(JoinInterval{.before = before, .after = after}, kKind, kKey, kKey,
                              Maker<JoinKind::full>{kBoth});
}
std::unique_ptr<Operator> window_join(Windows windows) {
  using Op = WindowJoin<Item, ItemKey, Item, ItemKey, Both, Maker<JoinKind::full>>;
  return std::make_unique<Op>(windows, Duration(0), JoinKind::full, kKey, kKey,
                              Maker<JoinKind::full>{kBoth});
}

TEST(JoinState, IsBoundedByTheIntervalNotByTheStream) {
  const auto make = [] { return interval_join<JoinKind::inner>(Duration(20), Duration(20)); };
  const auto [short_peak, short_end] = bytes_kept(make(), 200);
  const auto [long_peak, long_end] = bytes_kept(make(), 2'000);
  EXPECT_LT(long_peak, short_peak * 5 / 4);
  EXPECT_LT(long_end, short_peak / 4);
}

/// The most that is kept while each microsecond brings 50 keys that never come again.
std::uint64_t peak_of_fresh_keys(Time until) {
  Bench bench(interval_join<JoinKind::inner>(Duration(20), Duration(20)));
  for (Time now = 0; now < until; ++now) {
    bench.give(now % 2 == 0 ? 0 : 1, now, 50, 50 * now);
    bench.op->advance(now, bench.out);
  }
  return bench.state.peak_bytes();
}

TEST(JoinState, OfKeysThatDoNotComeAgainIsBoundedToo) {
  EXPECT_LT(peak_of_fresh_keys(3'000), peak_of_fresh_keys(300) * 5 / 4);
}

TEST(JoinState, OfOuterKindsAndWindowsIsBoundedToo) {
  for (const bool windows : {false, true}) {
    const auto make = [&] {
      return windows ? window_join(sliding(Duration(40), Duration(20)))
                     : interval_join<JoinKind::full>(Duration(20), Duration(20));
    };
    const auto [short_peak, short_end] = bytes_kept(make(), 200);
    const auto [long_peak, long_end] = bytes_kept(make(), 2'000);
    EXPECT_LT(long_peak, short_peak * 5 / 4) << windows;
    EXPECT_LT(long_end, short_peak / 4) << windows;
  }
}

TEST(JoinState, IsGivenBackWithTheOperator) {
  Bench bench(interval_join<JoinKind::inner>(Duration(20), Duration(20)));
  bench.give(0, 1, 50);
  EXPECT_GT(bench.state.bytes(), 50 * sizeof(Item));
  bench.op.reset();
  EXPECT_EQ(bench.state.bytes(), 0u);
}

TEST(JoinState, ARowThatTheFunctionRefusesIsADeadLetterOfBoth) {
  const auto refuse = [](const Item&, const Item&) -> Both { throw std::runtime_error("no"); };
  using Refusing = PairMaker<JoinKind::inner, decltype(refuse)>;
  using Op = IntervalJoin<Item, ItemKey, Item, ItemKey, Both, Refusing>;
  Bench bench(std::make_unique<Op>(JoinInterval{}, JoinKind::inner, kKey, kKey, Refusing{refuse}));
  bench.give(0, 5, 1);
  bench.give(1, 5, 1);
  EXPECT_EQ(bench.tally.processed, 2u);
  EXPECT_EQ(bench.tally.rows_refused, 1u);
  ASSERT_EQ(bench.harness.dead_letters.letters.size(), 1u);
  EXPECT_EQ(bench.harness.dead_letters.letters[0].reason, "no");
  EXPECT_EQ(bench.out.rows, 0u);
}

TEST(JoinInterval, ThatHoldsNothingIsRefusedWithASentence) {
  EXPECT_TRUE((JoinInterval{.before = Duration(-5), .after = Duration(5)}).validate().ok());
  const JoinInterval empty{.before = Duration(-5), .after = Duration(5), .exclusive_lower = true};
  EXPECT_EQ(empty.validate().code(), Code::parameter_invalid);
  EXPECT_NE(empty.validate().message().find("exclusive_lower() holds no time"), std::string::npos)
      << empty.validate().message();
  EXPECT_FALSE((JoinInterval{.lateness = Duration(-1)}).validate().ok());
}

}  // namespace
}  // namespace millrace::detail
