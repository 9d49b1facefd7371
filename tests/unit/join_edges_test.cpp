// What joins do when one side is idle, has ended, is far ahead in event time, or has one key.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "../hits.hpp"
#include "millrace/millrace.hpp"
#include "millrace/test_driver.hpp"
#include "runtime/runtime.hpp"

namespace millrace {
namespace {

using shared::at;
using shared::Hit;

/// Two inputs, whose records with equal keys are joined within ten seconds, or as of the left time.
class TwoSides {
 public:
  explicit TwoSides(EventTimeOptions options, bool as_of = false) {
    const auto side = [&](const char* name) {
      return topology_.from(records(std::vector<std::vector<Hit>>(1)))
          .named(name)
          .event_time(&Hit::when, options)
          .key_by(&Hit::key);
    };
    const auto text = [](const Hit& left, const Hit* right) {
      return left.name + "+" + (right != nullptr ? right->name : "");
    };
    const auto lefts = side("lefts");
    const auto rights = side("rights");
    const auto rows = as_of ? Stream<std::string>(lefts.as_of(rights).left(text))
                            : Stream<std::string>(lefts.join(rights).within(0s, 10s).left(text));
    driver_.emplace(topology_);
    left.emplace(driver_->input<Hit>("lefts"));
    right.emplace(driver_->input<Hit>("rights"));
    rows_.emplace(driver_->output(rows));
  }
  std::vector<std::string> rows() { return rows_->read_all(); }
  void advance_clock(Duration by) { driver_->advance_clock(by); }

 private:
  Topology topology_{"two sides"};
  std::optional<TestDriver> driver_;
  std::optional<TestOutput<std::string>> rows_;

 public:
  std::optional<TestInput<Hit>> left, right;
};

using Told = std::vector<std::string>;

TEST(JoinEdges, AnIdleSideHoldsNobody) {
  for (const bool as_of : {false, true}) {
    TwoSides sides({.idle_after = 5s}, as_of);
    sides.right->pipe({1, 0, at(1), "b"});
    sides.left->pipe({{1, 0, at(1), "a"}, {1, 0, at(20), "late"}, {1, 0, at(100), "last"}});
    EXPECT_EQ(sides.rows(), as_of ? Told{} : Told{"a+b"}) << "the right side stands at 1 s";
    sides.advance_clock(6s);
    sides.left->pipe({1, 0, at(101), "more"});
    EXPECT_EQ(sides.rows(), as_of ? (Told{"a+b", "late+b", "last+b"}) : Told{"late+"});
  }
}

/// Both watermarks stand exactly where the second left record's last partner may be.
TEST(JoinEdges, ThePartnerAtTheBoundMeetsOneThatIsLookedAtThere) {
  TwoSides sides({.out_of_order = 2s});
  sides.left->pipe({{1, 0, at(0), "a"}, {1, 0, at(2), "b"}, {1, 0, at(14), "c"}});
  sides.right->pipe({2, 0, at(14), "of another key"});
  EXPECT_EQ(sides.rows(), Told{"a+"}) << "the watermark is at 12 s";
  sides.right->pipe({1, 0, at(12), "d"});
  EXPECT_EQ(sides.rows(), Told{"b+d"});
}

TEST(JoinEdges, ASideThatHasEndedHoldsNobody) {
  for (const bool as_of : {false, true}) {
    TwoSides sides({}, as_of);
    sides.right->pipe({1, 0, at(1), "b"});
    sides.right->end();
    sides.left->pipe({{1, 0, at(2), "a"}, {1, 0, at(20), "c"}});
    EXPECT_EQ(sides.rows(), as_of ? Told{"a+b"} : Told{"a+"});
    sides.left->end();
    EXPECT_EQ(sides.rows(), as_of ? Told{"c+b"} : Told{"c+"});
  }
}

TEST(JoinEdges, TheSideThatIsAheadWaits) {
  TwoSides sides({.align_within = 10s});
  sides.right->pipe({1, 0, at(0), "b"});
  std::vector<Hit> ahead;
  for (std::int64_t second = 0; second < 5'000; ++second) sides.left->pipe({1, 0, at(second), "a"});
  EXPECT_GT(sides.left->waiting(), 4'900u);
  sides.right->pipe({1, 0, at(3'000), "b"});
  EXPECT_LT(sides.left->waiting(), 2'000u);
  sides.right->end();
  EXPECT_EQ(sides.left->waiting(), 0u);
}

struct Wide {
  std::int64_t key = 0;
  Timestamp time;
  std::array<std::int64_t, 6> more = {};
};

/// Of the two sources one goes through event time five times as fast: without a hand on it, its
/// records would lie in the join beyond what the budget allows.
TEST(JoinEdges, SkewBetweenTheSidesStaysWithinTheBudget) {
  const auto side = [](Topology& topology, std::uint64_t count, std::int64_t step) {
    return topology
        .from(generate(count,
                       [step](std::uint64_t index) {
                         const auto number = static_cast<std::int64_t>(index);
                         return Wide{number * step % 5'000, {number * step}, {}};
                       }))
        .event_time(&Wide::time)
        .key_by(&Wide::key);
  };
  Topology topology("skew");
  const auto fast = side(topology, 120'000, 5);
  const auto slow = side(topology, 600'000, 1);
  std::uint64_t pairs = 0;
  fast.join(slow)
      .within(Duration(0), Duration(0))
      .inner([](const Wide& left, const Wide&) { return left.key; })
      .to(each([&pairs](std::int64_t) { ++pairs; }));
  detail::RunOptions options;
  options.memory_bytes = 10u << 20;
  const detail::Graph& graph = topology.declaration().graph;
  detail::Engine engine(detail::make_plan(graph, {}), options, detail::real_env());
  ASSERT_TRUE(engine.start().ok());
  EXPECT_EQ(engine.finish().to_string(), "ok");
  EXPECT_EQ(pairs, 120'000u);
}

TEST(JoinEdges, AHotKeyCostsNoMoreThanItsPairs) {
  constexpr std::int64_t kRecords = 100'000;
  Topology topology("hot");
  const auto side = [&] {
    return topology
        .from(generate(
            kRecords,
            [](std::uint64_t index) { return Wide{7, {static_cast<std::int64_t>(index)}, {}}; }))
        .event_time(&Wide::time)
        .key_by(&Wide::key);
  };
  const auto left = side();
  const auto right = side();
  std::int64_t pairs = 0, quoted = 0;
  left.join(right)
      .within(Duration(2), Duration(2))
      .inner([](const Wide& one, const Wide&) { return one.key; })
      .to(each([&pairs](std::int64_t) { ++pairs; }));
  left.as_of(right)
      .inner(
          [](const Wide& one, const Wide& other) { return std::int64_t{one.time == other.time}; })
      .to(each([&quoted](std::int64_t equal) { quoted += equal; }));
  const detail::Graph& graph = topology.declaration().graph;
  detail::Engine engine(detail::make_plan(graph, {}), {}, detail::real_env());
  ASSERT_TRUE(engine.start().ok());
  EXPECT_EQ(engine.finish().to_string(), "ok");
  EXPECT_EQ(pairs, 5 * kRecords - 6);
  EXPECT_EQ(quoted, kRecords);
}

}  // namespace
}  // namespace millrace
