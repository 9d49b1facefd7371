// Windows of which most keys are on disk, those that fire again too, against the same in memory:
// what they emit is the same, across images and restores in other tasks, with late records and with
// held ones looked at.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "env/random.hpp"
#include "operator/refiring_aggregate.hpp"
#include "operator/two_phase.hpp"
#include "spill_harness.hpp"

namespace millrace::property {
namespace {

using detail::Random;

struct Hit {
  std::int64_t key = 0;
  std::int64_t number = 0;
};
using ByKey = detail::KeyFn<Hit, std::int64_t Hit::*>;
const auto kByKey = std::make_shared<const detail::TypedKeyHash<Hit, ByKey>>(ByKey(&Hit::key));

/// An accumulator that holds heap, and the order of what it merges.
struct JoinKernel {
  using Acc = std::string;
  using Value = std::string;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = false;
  static constexpr bool kNothrow = false;
  static constexpr bool kOrdered = false;
  Acc init() const { return {}; }
  void add(Acc& acc, const Hit& hit, const detail::Stamp&) const {
    acc += fmt::format("{},", hit.number);
  }
  void merge(Acc& acc, const Acc& newer) const { acc += newer; }
  Value result(const Acc& acc) const { return acc; }
};

std::vector<Act> draw_acts(Random& random) {
  std::vector<Act> acts;
  Time newest = 0;
  Time watermark = -100;
  std::int64_t number = 0;
  for (int at = 0; at < 30; ++at) {
    Act& act = acts.emplace_back();
    const std::uint64_t what = random.below(8);
    if (random.chance(0.2)) {
      act.image = 1 + random.below(4);
      act.fails = random.chance(0.2);
    } else if (what == 0) {
      act.restore = 1 + static_cast<std::uint32_t>(random.below(3));
    } else if (what < 3) {
      act.step.kind = OperatorStep::Kind::watermark;
      watermark = std::max(watermark, newest - 60 - static_cast<Time>(random.below(30)));
      act.step.watermark = watermark;
    } else {
      auto batch = std::make_shared<detail::Batch<Hit>>();
      newest += static_cast<Time>(random.below(40));
      for (std::uint32_t index = 0; index < 4000; ++index) {
        const Time time = newest - static_cast<Time>(random.below(90));
        const std::uint64_t keys = random.chance(0.3) ? 10 : 12'000;
        batch->values.push_back({static_cast<std::int64_t>(random.below(keys)), ++number});
        batch->times.push_back(time);
        if (time < watermark) batch->behind.push_back({index, watermark});
      }
      act.step.batch = std::move(batch);
    }
  }
  acts.emplace_back().step.kind = OperatorStep::Kind::watermark;
  acts.back().step.watermark = kTimeMax;
  return acts;
}

class SpilledPanes : public testing::Test {
 protected:
  template <class Kernel>
  static OperatorTasks tasks_of(const Windows& windows, const Kernel& kernel) {
    using Op = detail::WindowAggregate<Hit, ByKey, Kernel>;
    using Row = millrace::Aggregate<std::int64_t, typename Kernel::Value>;
    return OperatorTasks(
        [=] { return std::make_unique<Op>(windows, kByKey, kernel); },
        {{&detail::batch_type<Hit>(), kByKey}},
        [](std::uint32_t, const detail::BatchBase& base, std::size_t at) {
          const Row& row = static_cast<const detail::Batch<Row>&>(base).values[at];
          return std::pair(fmt::format("{}", row.key),
                           fmt::format("{} {} {}", row.window_start, row.window_end, row.value));
        });
  }
  /// Late records leave by port 1, in a lane of their own.
  template <detail::Refires kRefires, class Kernel, class Spec>
  static OperatorTasks tasks_of_refiring(const Spec& spec, const Kernel& kernel) {
    using Op = detail::RefiringAggregate<Hit, ByKey, Kernel, kRefires>;
    using Row = std::conditional_t<kRefires == detail::Refires::finally,
                                   millrace::Aggregate<std::int64_t, typename Kernel::Value>,
                                   WindowUpdate<std::int64_t, typename Kernel::Value>>;
    return OperatorTasks(
        [=] { return std::make_unique<Op>(spec, kByKey, kernel); },
        {{&detail::batch_type<Hit>(), kByKey}},
        [](std::uint32_t port, const detail::BatchBase& base, std::size_t at) {
          if (port == 1) {
            const Hit& hit = static_cast<const detail::Batch<Hit>&>(base).values[at];
            return std::pair(fmt::format("late {}", hit.key), fmt::format("{}", hit.number));
          }
          const auto& batch = static_cast<const detail::Batch<Row>&>(base);
          return std::pair(
              fmt::format("{}", batch.values[at].key),
              detail::batch_type<Row>().describe(batch, static_cast<std::uint32_t>(at)));
        });
  }
  /// What is held before the last act is a lane of its own.
  template <class Op>
  Lanes run(OperatorTasks& tasks, const std::vector<Act>& acts) {
    std::vector<std::string> held;
    tasks.start(2);
    for (std::size_t at = 0; at < acts.size();) {
      if (at + 1 == acts.size()) held = held_of<Op>(tasks);
      at = play_act(tasks, acts, at);
      most_keys_ = std::max(most_keys_, folder_.most_keys());
    }
    EXPECT_TRUE(tasks.status().ok()) << tasks.status().to_string();
    Lanes lanes = tasks.lanes();
    EXPECT_FALSE(held.empty());
    lanes["held"] = std::move(held);
    return lanes;
  }
  template <class Op>
  static std::vector<std::string> held_of(OperatorTasks& tasks) {
    std::unique_ptr<detail::HeldAggregates> held;
    for (std::size_t at = 0; at < tasks.size(); ++at) tasks.task<Op>(at).add_held(held);
    std::vector<std::string> lines;
    for (const auto& one : held->all()) {
      const auto* const number = std::get_if<std::int64_t>(&one.values.at(0));
      lines.push_back(
          fmt::format("{} {} {} {}", one.key, one.start, one.end,
                      number ? std::to_string(*number) : std::get<std::string>(one.values[0])));
    }
    return lines;
  }
  template <class Op>
  void expect_same(OperatorTasks in_memory, OperatorTasks on_disk, const std::vector<Act>& acts) {
    on_disk.when_open(folder_.beyond(most_bytes_));
    const Lanes wanted = run<Op>(in_memory, acts);
    const Lanes got = run<Op>(on_disk, acts);
    ASSERT_EQ(got.size(), wanted.size());
    for (const auto& [key, rows] : wanted) ASSERT_EQ(got.at(key), rows) << "key " << key;
  }
  template <class Kernel>
  void expect_same(const Windows& windows, const Kernel& kernel, const std::vector<Act>& acts) {
    using Op = detail::WindowAggregate<Hit, ByKey, Kernel>;
    expect_same<Op>(tasks_of(windows, kernel), tasks_of(windows, kernel), acts);
  }
  /// `expect` is called with the acts of each seed.
  template <class Expect>
  void for_each_draw(Expect&& expect) {
    for (std::uint64_t seed = 1; seed <= 4 && !HasFailure(); ++seed) {
      SCOPED_TRACE(fmt::format("seed {}", seed));
      Random random(seed);
      const std::vector<Act> acts = draw_acts(random);
      most_bytes_ = (512u << 10) << seed % 3;  // from the beginning, or later
      expect(acts);
    }
    EXPECT_GT(most_keys_, 1000u);
  }
  template <class Kernel>
  void expect_same(const Windows& windows, const Kernel& kernel) {
    for_each_draw([&](const std::vector<Act>& acts) { expect_same(windows, kernel, acts); });
  }
  template <detail::Refires kRefires, class Kernel, class Spec>
  void expect_same_refiring(const Spec& spec, const Kernel& kernel) {
    using Op = detail::RefiringAggregate<Hit, ByKey, Kernel, kRefires>;
    for_each_draw([&](const std::vector<Act>& acts) {
      expect_same<Op>(tasks_of_refiring<kRefires>(spec, kernel),
                      tasks_of_refiring<kRefires>(spec, kernel), acts);
    });
  }

  SpillFolder folder_;
  std::uint64_t most_bytes_ = 0;
  std::uint64_t most_keys_ = 0;
};

TEST_F(SpilledPanes, OfTumblingWindows) {
  expect_same(tumbling(200us), detail::SumKernel<Hit, std::int64_t Hit::*>{&Hit::number});
}
TEST_F(SpilledPanes, OfSlidingWindowsThatMergeTheirPanes) {
  expect_same(sliding(240us, 80us), detail::SumKernel<Hit, std::int64_t Hit::*>{&Hit::number});
}
TEST_F(SpilledPanes, OfTheWindowThatDoesNotEnd) { expect_same(global(), detail::CountKernel()); }

/// A window has merged its panes in memory when those behind it go to disk.
TEST_F(SpilledPanes, BehindPanesThatHoldThoseThatFollowThem) {
  std::vector<Act> acts;
  const auto add = [&acts](std::int64_t keys, Time from, Time to) {
    auto batch = std::make_shared<detail::Batch<Hit>>();
    for (std::int64_t at = 0; at < 6000; ++at) {
      batch->values.push_back({at * 7919 % keys, at});
      batch->times.push_back(from + at * 31 % (to - from));
    }
    acts.emplace_back().step.batch = std::move(batch);
  };
  const auto advance = [&acts](Time watermark) {
    acts.emplace_back().step.kind = OperatorStep::Kind::watermark;
    acts.back().step.watermark = watermark;
  };
  add(2000, 0, 400);
  advance(400);  // the window from 160 on has merged its panes in that order
  for (const std::int64_t keys : {11'000, 12'000, 13'000, 17'000}) add(keys, 400, 560);
  for (const Time watermark : {Time{480}, Time{560}, kTimeMax}) advance(watermark);
  most_bytes_ = 1000u << 10;
  expect_same(sliding(240us, 80us), detail::CountKernel(), acts);
  EXPECT_GT(most_keys_, 1000u);
}

/// Parts are merged in the order in which they came.
TEST_F(SpilledPanes, OfAccumulatorsOnTheHeap) { expect_same(tumbling(400us), JoinKernel()); }

TEST_F(SpilledPanes, OfWindowsThatFireAgainForLateRecords) {
  const auto windows = sliding(240us, 80us).allowed_lateness(200us);
  const detail::SumKernel<Hit, std::int64_t Hit::*> sum{&Hit::number};
  expect_same_refiring<detail::Refires::updates>(windows, sum);
  expect_same_refiring<detail::Refires::updates>(windows.discarding(), sum);
  expect_same_refiring<detail::Refires::retractions>(windows.retracting(), JoinKernel());
}

TEST_F(SpilledPanes, OfWindowsThatFireEarly) {
  const auto windows = tumbling(300us).allowed_lateness(100us);
  expect_same_refiring<detail::Refires::updates>(windows.early(every(60us)), JoinKernel());
  expect_same_refiring<detail::Refires::updates>(windows.early(every(3)), detail::CountKernel());
}

TEST_F(SpilledPanes, OfWindowsThatFireWhenNothingMoreCanCome) {
  const FinalWindows windows = sliding(240us, 80us).allowed_lateness(100us).final_only();
  expect_same_refiring<detail::Refires::finally>(windows, detail::CountKernel());
}

}  // namespace
}  // namespace millrace::property
