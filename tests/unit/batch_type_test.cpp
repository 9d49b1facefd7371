// Tests of batch_type<T>: appending, lateness marks, arenas, rehoming.
#include "record/batch_type.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace millrace::detail {
namespace {

struct Word {
  std::string_view text;
  int count = 0;
};

/// A type without schema, that cannot be assigned.
struct Opaque {
  explicit Opaque(int number) : value(number), shared(std::make_shared<int>(number)) {}
  const int value;
  std::shared_ptr<int> shared;
};

using Picks = std::vector<std::uint32_t>;

template <class T>
Batch<T> batch_of(std::vector<T> values) {
  Batch<T> batch;
  batch.values = std::move(values);
  return batch;
}

void check_marks(const BatchBase& batch,
                 const std::vector<std::pair<std::uint32_t, Time>>& expected) {
  ASSERT_EQ(batch.behind.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(batch.behind[i].index, expected[i].first) << i;
    EXPECT_EQ(batch.behind[i].watermark, expected[i].second) << i;
  }
}

TEST(BatchType, AppendsPickedRecordsWithAllThatBelongsToThem) {
  const BatchType& type = batch_type<int>();
  Batch<int> to = batch_of<int>({1, 2});
  to.times = {10, 20};
  to.hashes = {100, 200};
  to.behind = {{1, 25}};
  Batch<int> from = batch_of<int>({3, 4, 5, 6, 7});
  from.times = {30, 40, 50, 60, 70};
  from.hashes = {300, 400, 500, 600, 700};
  from.behind = {{0, 31}, {2, 51}, {3, 61}, {4, 71}};
  from.pin(ArenaRef::make(64));
  from.watermark = 99;
  from.end = true;
  type.append(to, from, Picks{1, 2, 4});
  EXPECT_EQ(to.values, (std::vector<int>{1, 2, 4, 5, 7}));
  EXPECT_EQ(to.times, (std::vector<Time>{10, 20, 40, 50, 70}));
  EXPECT_EQ(to.hashes, (std::vector<std::uint64_t>{100, 200, 400, 500, 700}));
  check_marks(to, {{1, 25}, {3, 51}, {4, 71}});
  EXPECT_EQ(to.arenas.size(), 1u);
  EXPECT_EQ(to.watermark, kTimeMin);
  EXPECT_FALSE(to.end);
  EXPECT_EQ(from.values.size(), 5u);
}

TEST(BatchType, AppendsAll) {
  const BatchType& type = batch_type<std::string>();
  Batch<std::string> to;
  Batch<std::string> from = batch_of<std::string>({"a", "b"});
  from.times = {1, 2};
  from.behind = {{1, 5}};
  type.append_all(to, from);
  type.append_all(to, from);
  EXPECT_EQ(to.values, (std::vector<std::string>{"a", "b", "a", "b"}));
  EXPECT_EQ(to.times, (std::vector<Time>{1, 2, 1, 2}));
  EXPECT_TRUE(to.hashes.empty());
  check_marks(to, {{1, 5}, {3, 5}});
}

TEST(BatchType, AnEmptyBatchTakesTheModeOfTheFirst) {
  const BatchType& type = batch_type<int>();
  Batch<int> plain = batch_of<int>({1});
  Batch<int> to;
  type.append(to, plain, Picks{0});
  EXPECT_FALSE(to.has_times());
  to.clear();
  Batch<int> timed = batch_of<int>({2});
  timed.times = {7};
  type.append(to, timed, Picks{0});
  EXPECT_TRUE(to.has_times());
}

TEST(BatchType, NothingPickedChangesNothing) {
  const BatchType& type = batch_type<int>();
  Batch<int> to;
  Batch<int> from = batch_of<int>({1});
  from.times = {1};
  from.pin(ArenaRef::make(64));
  type.append(to, from, {});
  type.append_all(to, Batch<int>());
  EXPECT_EQ(to.size(), 0u);
  EXPECT_FALSE(to.has_times());
  EXPECT_TRUE(to.arenas.empty());
}

TEST(BatchTypeDeathTest, RefusesToMixTimedAndUntimedRecords) {
  const BatchType& type = batch_type<int>();
  Batch<int> to = batch_of<int>({1});
  Batch<int> from = batch_of<int>({2});
  from.times = {1};
  EXPECT_DEATH(type.append(to, from, Picks{0}), "with and without event time");
  EXPECT_DEATH(type.append_all(to, from), "with and without event time");
  from.times.clear();
  from.hashes = {1};
  EXPECT_DEATH(type.append_all(to, from), "with and without key hash");
}

TEST(BatchType, ManyAppendsAgreeWithAPlainLoop) {
  const BatchType& type = batch_type<int>();
  Batch<int> from;
  for (int i = 0; i < 100; ++i) {
    from.values.push_back(i);
    from.times.push_back(i * 10);
    if (i % 3 == 0) from.behind.push_back({static_cast<std::uint32_t>(i), i * 10 + 1});
  }
  Batch<int> to;
  std::vector<std::pair<std::uint32_t, Time>> marks;
  for (std::uint32_t step = 1; step < 20; ++step) {
    Picks picks;
    for (std::uint32_t i = step % 5; i < 100; i += step) {
      if (i % 3 == 0)
        marks.emplace_back(static_cast<std::uint32_t>(to.size() + picks.size()), i * 10 + 1);
      picks.push_back(i);
    }
    const std::size_t before = to.size();
    type.append(to, from, picks);
    ASSERT_EQ(to.size(), before + picks.size());
    for (std::size_t i = 0; i < picks.size(); ++i) {
      ASSERT_EQ(to.values[before + i], static_cast<int>(picks[i]));
      ASSERT_EQ(to.times[before + i], picks[i] * 10);
    }
  }
  check_marks(to, marks);
}

TEST(BatchType, SwapExchangesEverything) {
  const BatchType& type = batch_type<int>();
  Batch<int> a = batch_of<int>({1, 2});
  a.times = {1, 2};
  a.hashes = {3, 4};
  a.behind = {{0, 9}};
  a.pin(ArenaRef::make(64));
  a.watermark = 5;
  a.end = true;
  a.due_ns = 6;
  a.partition = 7;
  a.offset = 8;
  a.lap = 9;
  Batch<int> b;
  type.swap(a, b);
  EXPECT_EQ(a.size(), 0u);
  EXPECT_TRUE(a.arenas.empty());
  EXPECT_EQ(a.watermark, kTimeMin);
  EXPECT_FALSE(a.end);
  EXPECT_EQ(b.values, (std::vector<int>{1, 2}));
  EXPECT_EQ(b.times.size(), 2u);
  EXPECT_EQ(b.hashes.size(), 2u);
  check_marks(b, {{0, 9}});
  EXPECT_EQ(b.arenas.size(), 1u);
  EXPECT_EQ(b.watermark, 5);
  EXPECT_TRUE(b.end);
  EXPECT_EQ(b.due_ns, 6);
  EXPECT_EQ(b.partition, 7u);
  EXPECT_EQ(b.offset, 8u);
  EXPECT_EQ(b.lap, 9u);
}

TEST(BatchType, RehomeCopiesBorrowedTextAndLetsGoOfTheOldArenas) {
  const BatchType& type = batch_type<Word>();
  ArenaRef first = ArenaRef::make(64);
  ArenaRef second = ArenaRef::make(64);
  Batch<Word> batch;
  batch.values = {{first->intern("one"), 1}, {second->intern("two"), 2}, {"", 3}};
  batch.pin(first);
  batch.pin(second);
  type.rehome(batch);
  EXPECT_TRUE(first.unique());
  EXPECT_TRUE(second.unique());
  ASSERT_EQ(batch.arenas.size(), 1u);
  std::memset(const_cast<char*>(first->intern("").data()) - 3, '#', 3);
  first = ArenaRef();
  second = ArenaRef();
  EXPECT_EQ(batch.values[0].text, "one");
  EXPECT_EQ(batch.values[1].text, "two");
  EXPECT_EQ(batch.values[2].text, "");
  EXPECT_EQ(batch.arenas[0]->used_bytes(), 6u);
}

TEST(BatchType, RehomeLetsGoOfArenasThatNothingPointsInto) {
  Batch<int> numbers = batch_of<int>({1});
  numbers.pin(ArenaRef::make(64));
  batch_type<int>().rehome(numbers);
  EXPECT_TRUE(numbers.arenas.empty());
}

TEST(BatchType, TypesWithoutSchemaFlowAndKeepTheirArenas) {
  const BatchType& type = batch_type<Opaque>();
  Batch<Opaque> from;
  from.values.emplace_back(1);
  from.values.emplace_back(2);
  from.pin(ArenaRef::make(64));
  Batch<Opaque> to;
  type.append(to, from, Picks{1});
  type.append_all(to, from);
  ASSERT_EQ(to.size(), 3u);
  EXPECT_EQ(to.values[0].value, 2);
  EXPECT_EQ(*to.values[2].shared, 2);
  type.rehome(to);
  EXPECT_EQ(to.arenas.size(), 1u);
  EXPECT_EQ(type.describe(to, 0), "(a record of a type without schema)");
  EXPECT_EQ(type.record_bytes(), sizeof(Opaque));
}

TEST(BatchType, DescribesRecordsAsJson) {
  const BatchType& type = batch_type<Word>();
  BatchPtr batch = type.make();
  static_cast<Batch<Word>&>(*batch).values = {{"a", 1}, {"b", 2}};
  EXPECT_EQ(type.describe(*batch, 1), R"({"text":"b","count":2})");
  EXPECT_EQ(&type, &batch_type<Word>());
}

}  // namespace
}  // namespace millrace::detail
