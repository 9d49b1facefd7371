// Tests of Router and Channel: the contracts of groupings, order, backpressure and what batches
// pin.
#include "runtime/router.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "env/random.hpp"
#include "operator/keyed.hpp"
#include "record/batch_type.hpp"

namespace millrace::detail {
namespace {

struct Item {
  std::int64_t sequence = 0;
  std::string_view name;
};
using Key = KeyFn<Item, std::string_view Item::*>;

/// A sender with its channels, read by hand.
class Bench {
 public:
  Bench(GroupingKind kind, std::size_t tasks, std::size_t batch_max = 8,
        std::size_t ring_max = 1024)
      : hash_(std::make_shared<const TypedKeyHash<Item, Key>>(Key(&Item::name))) {
    std::vector<Channel*> ends;
    for (std::size_t at = 0; at < tasks; ++at) {
      channels_.push_back(std::make_unique<Channel>(batch_type<Item>(), ring_max));
      ends.push_back(channels_.back().get());
    }
    router_ = std::make_unique<Router>(batch_type<Item>(), Grouping{kind, hash_}, std::move(ends),
                                       batch_max, std::size_t{1} << 20, sent_);
  }

  Router& router() { return *router_; }
  Channel& channel(std::size_t at) { return *channels_[at]; }
  std::uint64_t sent() const { return sent_.value(); }

  void push(const std::vector<Item>& items, const ArenaRef& arena = {}, bool timed = false) {
    Batch<Item> batch;
    batch.values = items;
    if (timed) batch.times.assign(items.size(), 7);
    if (arena) batch.pin(arena);
    router_->push(batch, true);
  }
  /// What task `at` has been sent so far, taken off its ring.
  std::vector<Item> take(std::size_t at) {
    std::vector<Item> items;
    BatchPtr batch;
    while (channels_[at]->pop(batch)) {
      const auto& values = static_cast<Batch<Item>&>(*batch).values;
      items.insert(items.end(), values.begin(), values.end());
    }
    return items;
  }

 private:
  std::shared_ptr<const KeyHash> hash_;
  std::vector<std::unique_ptr<Channel>> channels_;
  Counter sent_;
  std::unique_ptr<Router> router_;
};

std::vector<Item> numbered(std::int64_t from, std::int64_t count) {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (int at = 0; at < 50; ++at) names.push_back("name " + std::to_string(at));
    return names;
  }();
  std::vector<Item> items;
  for (std::int64_t at = from; at < from + count; ++at) {
    items.push_back({at, kNames[static_cast<std::size_t>(at * 7 % 50)]});
  }
  return items;
}

void expect_ordered(const std::vector<Item>& items) {
  for (std::size_t at = 1; at < items.size(); ++at) {
    ASSERT_LT(items[at - 1].sequence, items[at].sequence);
  }
}

TEST(Router, FieldsSendsEqualKeysToOneTaskInOrder) {
  for (const std::size_t tasks : {1u, 2u, 3u, 7u, 128u}) {
    Bench bench(GroupingKind::fields, tasks);
    for (int at = 0; at < 40; ++at) bench.push(numbered(at * 25, 25));
    bench.router().flush_open();
    EXPECT_TRUE(bench.router().flush_waiting());
    std::map<std::string_view, std::size_t> task_of;
    std::size_t total = 0;
    for (std::size_t task = 0; task < tasks; ++task) {
      const auto items = bench.take(task);
      expect_ordered(items);
      total += items.size();
      for (const Item& item : items) {
        ASSERT_EQ(task_of.emplace(item.name, task).first->second, task) << item.name;
      }
    }
    EXPECT_EQ(total, 1000u);
    EXPECT_EQ(task_of.size(), 50u);
  }
}

TEST(Router, ShuffleSpreadsEvenlyAndInOrder) {
  for (const std::int64_t count : {1, 3, 8, 100}) {
    constexpr std::size_t kTasks = 3;
    Bench bench(GroupingKind::shuffle, kTasks, 16);
    for (int at = 0; at < 60; ++at) bench.push(numbered(at * count, count));
    bench.router().flush_open();
    std::size_t total = 0;
    for (std::size_t task = 0; task < kTasks; ++task) {
      const auto items = bench.take(task);
      expect_ordered(items);
      total += items.size();
      EXPECT_NEAR(static_cast<double>(items.size()), 20.0 * static_cast<double>(count),
                  static_cast<double>(count));
    }
    EXPECT_EQ(total, static_cast<std::size_t>(60 * count));
  }
}

/// A task that takes nothing off its queue gets less and less, an idle one all the more.
TEST(Router, ShuffleSendsLessToTasksThatFallBehind) {
  constexpr std::size_t kTasks = 4;
  Bench bench(GroupingKind::shuffle, kTasks, 16);
  std::vector<std::size_t> got(kTasks);
  for (int at = 0; at < 100; ++at) {
    bench.push(numbered(at * 20, 20));
    bench.router().flush_open();
    for (std::size_t task = 1; task < kTasks; ++task) {
      const auto items = bench.take(task);
      expect_ordered(items);
      got[task] += items.size();
    }
  }
  got[0] = bench.take(0).size();
  EXPECT_LE(got[0], 20u);
  for (std::size_t task = 1; task < kTasks; ++task) {
    EXPECT_NEAR(static_cast<double>(got[task]), 2000.0 / 3, 40) << task;
  }
}

/// Queues of different lengths become equally long before any grows beyond the others.
TEST(Router, ShuffleLevelsTheQueues) {
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    const std::size_t tasks = 2 + random.below(6);
    Bench bench(GroupingKind::shuffle, tasks, 1'000'000, 1 << 12);
    std::vector<std::uint64_t> before(tasks);
    for (int at = 0; at < 10; ++at) {
      for (std::size_t task = 0; task < tasks; ++task) {
        before[task] = bench.channel(task).queued();
      }
      const std::int64_t count = random.between(1, 50);
      bench.push(numbered(0, count));
      for (std::size_t task = 0; task < tasks; ++task) {
        const std::uint64_t now = bench.channel(task).queued();
        // Whoever got something is at most one above whoever got least.
        if (now > before[task]) {
          for (std::size_t other = 0; other < tasks; ++other) {
            ASSERT_LE(now, bench.channel(other).queued() + 1);
          }
        }
      }
      bench.router().flush_open();
      (void)bench.take(random.below(tasks));
    }
  }
}

TEST(Router, PartialKeySendsAKeyToOneOfTwoTasksAndEvensSkewOut) {
  constexpr std::size_t kTasks = 6;
  Bench bench(GroupingKind::partial_key, kTasks, 64);
  Random random(3);
  const auto items = numbered(0, 50);
  for (int at = 0; at < 200; ++at) {
    std::vector<Item> batch;
    // Half of all records have one key.
    for (std::int64_t record = 0; record < 50; ++record) {
      batch.push_back(random.chance(0.5) ? items[0] : items[random.below(50)]);
      batch.back().sequence = at * 50 + record;
    }
    bench.push(batch);
  }
  bench.router().flush_open();
  std::map<std::string_view, std::map<std::size_t, std::size_t>> of_key;
  for (std::size_t task = 0; task < kTasks; ++task) {
    const auto taken = bench.take(task);
    expect_ordered(taken);
    for (const Item& item : taken) ++of_key[item.name][task];
  }
  std::size_t total = 0;
  std::size_t split = 0;
  for (const auto& [name, tasks] : of_key) {
    EXPECT_LE(tasks.size(), 2u) << name;
    split += tasks.size() == 2;
    for (const auto& [task, count] : tasks) total += count;
  }
  EXPECT_EQ(total, 10'000u);
  EXPECT_GT(split, 10u);
  const auto& hot = of_key[items[0].name];
  ASSERT_EQ(hot.size(), 2u);
  for (const auto& [task, count] : hot) EXPECT_GT(count, 1'500u) << task;
}

/// Both ends in one thread, as the test's channels are: local_or_shuffle stays there while the
/// queues are less than half full.
TEST(Router, LocalOrShuffleLeavesTheThreadOnlyWhenItFallsBehind) {
  Waker wakers[2];
  Home here;
  Home there;
  Home beside;
  here.move_to(wakers[0]);
  beside.move_to(wakers[0]);
  there.move_to(wakers[1]);
  Bench bench(GroupingKind::local_or_shuffle, 3, 10, 8);
  for (std::size_t task = 0; task < 3; ++task) {
    bench.channel(task).set_ends(&here, task == 1 ? &beside : &there);
  }
  for (int at = 0; at < 4; ++at) {
    bench.push(numbered(at * 10, 10));
    EXPECT_EQ(bench.channel(0).queued() + bench.channel(2).queued(), 0u) << at;
  }
  EXPECT_EQ(bench.channel(1).queued(), 40u);
  bench.push(numbered(40, 10));  // half full: now by load
  EXPECT_EQ(bench.channel(1).queued(), 40u);
  EXPECT_EQ(bench.channel(0).queued() + bench.channel(2).queued(), 10u);
  EXPECT_EQ(bench.take(1).size(), 40u);
  bench.push(numbered(50, 10));
  EXPECT_EQ(bench.channel(1).queued(), 10u);
}

TEST(Router, AllSendsEveryRecordToEveryTask) {
  Bench bench(GroupingKind::all, 3);
  bench.push(numbered(0, 30));
  bench.router().flush_open();
  for (std::size_t task = 0; task < 3; ++task) EXPECT_EQ(bench.take(task).size(), 30u);
  EXPECT_EQ(bench.sent(), 90u);
}

TEST(Router, GlobalSendsAllToItsOneTask) {
  Bench bench(GroupingKind::global, 1);
  for (int at = 0; at < 5; ++at) bench.push(numbered(at * 3, 3));
  bench.router().flush_open();
  const auto items = bench.take(0);
  EXPECT_EQ(items.size(), 15u);
  expect_ordered(items);
}

TEST(Router, AFullRingBlocksAndLosesNothing) {
  Bench bench(GroupingKind::global, 1, 4, 2);
  std::int64_t pushed = 0;
  while (!bench.router().blocked()) {
    bench.push(numbered(pushed, 4));
    pushed += 4;
  }
  EXPECT_EQ(pushed, 12);
  EXPECT_EQ(bench.channel(0).queued(), 12u);
  EXPECT_FALSE(bench.router().flush_waiting());
  bench.router().end();
  std::vector<Item> all = bench.take(0);
  EXPECT_EQ(all.size(), 8u);
  EXPECT_TRUE(bench.router().flush_waiting());
  EXPECT_FALSE(bench.router().blocked());
  const auto rest = bench.take(0);
  all.insert(all.end(), rest.begin(), rest.end());
  EXPECT_EQ(all.size(), 12u);
  expect_ordered(all);
  EXPECT_EQ(bench.channel(0).queued(), 0u);
  EXPECT_EQ(bench.sent(), 12u);
}

TEST(Router, MarksComeBehindTheRecordsPushedBefore) {
  Bench bench(GroupingKind::fields, 2, 64);
  bench.push(numbered(0, 10));
  bench.router().advance(100, 0);
  bench.router().end();
  for (std::size_t task = 0; task < 2; ++task) {
    BatchPtr batch;
    ASSERT_TRUE(bench.channel(task).pop(batch));
    EXPECT_GT(batch->size(), 0u);
    EXPECT_EQ(batch->watermark, 100);
    EXPECT_TRUE(batch->end);
    EXPECT_FALSE(bench.channel(task).pop(batch));
  }
}

TEST(Router, BatchesPinFewArenas) {
  Bench bench(GroupingKind::fields, 2, 100'000);
  for (int at = 0; at < 500; ++at) {
    const ArenaRef arena = ArenaRef::make(1024);
    bench.push({{at, arena->intern("some name")}}, arena);
  }
  bench.router().flush_open();
  std::size_t records = 0;
  for (std::size_t task = 0; task < 2; ++task) {
    BatchPtr batch;
    while (bench.channel(task).pop(batch)) {
      records += batch->size();
      EXPECT_LE(batch->arenas.size(), Router::kArenasMax);
    }
  }
  EXPECT_EQ(records, 500u);
}

TEST(Router, BatchesWithSeveralArenasDoNotAddUpToMoreThanAllowed) {
  Bench bench(GroupingKind::global, 1, 100'000);
  for (int at = 0; at < 50; ++at) {
    Batch<Item> batch;
    for (int part = 0; part < 5; ++part) {
      const ArenaRef arena = ArenaRef::make(1024);
      batch.values.push_back({5 * at + part, arena->intern("some name")});
      batch.pin(arena);
    }
    bench.router().push(batch, false);
  }
  bench.router().flush_open();
  std::size_t records = 0;
  BatchPtr batch;
  while (bench.channel(0).pop(batch)) {
    records += batch->size();
    EXPECT_LE(batch->arenas.size(), Router::kArenasMax);
  }
  EXPECT_EQ(records, 250u);
}

TEST(Router, SparseBatchesLetGoOfLargeArenas) {
  Bench bench(GroupingKind::global, 1, 64);
  ArenaRef arena = ArenaRef::make(1u << 20);
  bench.push({{1, arena->intern("kept")}}, arena);
  bench.router().flush_open();
  EXPECT_TRUE(arena.unique());
  arena = {};
  BatchPtr batch;
  ASSERT_TRUE(bench.channel(0).pop(batch));
  EXPECT_EQ(static_cast<Batch<Item>&>(*batch).values.front().name, "kept");
  EXPECT_EQ(batch->arenas.size(), 1u);
}

/// A merge brings batches of different origin to one router.
TEST(Router, TakesBatchesWithAndWithoutTimesAndHashes) {
  for (const GroupingKind kind :
       {GroupingKind::shuffle, GroupingKind::fields, GroupingKind::global}) {
    Bench bench(kind, kind == GroupingKind::global ? 1 : 2, 1000);
    for (int at = 0; at < 8; ++at) {
      Batch<Item> batch;
      batch.values = numbered(at * 4, 4);
      if (at % 2 == 0) batch.times.assign(4, 7);
      if (at % 4 < 2) {
        batch.hashes.assign(4, 1);
        batch.hashed_by = &bench;
      }
      bench.router().push(batch, true);
    }
    bench.router().flush_open();
    std::size_t records = 0;
    for (std::size_t task = 0; task < (kind == GroupingKind::global ? 1u : 2u); ++task) {
      BatchPtr batch;
      while (bench.channel(task).pop(batch)) {
        records += batch->size();
        EXPECT_TRUE(batch->times.empty() || batch->times.size() == batch->size());
        EXPECT_TRUE(batch->hashes.empty() || batch->hashes.size() == batch->size());
        for (const Item& item : static_cast<Batch<Item>&>(*batch).values) {
          EXPECT_EQ(batch->has_times(), item.sequence / 4 % 2 == 0);
        }
      }
    }
    EXPECT_EQ(records, 32u);
  }
}

}  // namespace
}  // namespace millrace::detail
