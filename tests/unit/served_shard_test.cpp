// ServedShard and ServedTable: what is seen of half an update, pages, retention, sessions, memory.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "connector/served_table.hpp"
#include "record/packed_values.hpp"

namespace millrace::detail {
namespace {

ServedShape shape_of(bool windowed, Duration keep = Duration(0), bool sessions = false) {
  return {
      {{"id", KeyPartKind::integer}}, {{"value", ColumnType::integer}}, windowed, keep, sessions};
}

std::string key_of(std::int64_t id) {
  std::string key;
  append_ordered_integer(key, id);
  return key;
}
std::string key_of(std::int64_t id, Time start, Time end) {
  std::string key = key_of(id);
  append_window(key, start, end);
  return key;
}
std::string value_of_row(std::int64_t value) {
  std::string values;
  append_packed(values, value);
  return values;
}

ServedQuestion all(std::size_t limit = 2000) {
  ServedQuestion question;
  question.ranges = {{}};
  question.limit = limit;
  return question;
}
std::vector<std::string> keys_of(const ServedShard& shard) {
  std::vector<std::string> keys;
  for (const ServedRow& row : shard.look(all()).rows) keys.push_back(row.key);
  return keys;
}
using Keys = std::vector<std::string>;

TEST(ServedShard, ARowThatIsTakenBackStaysUntilItsSuccessorCame) {
  ServedShard shard(shape_of(false), nullptr);
  shard.put(key_of(1), value_of_row(10), 0);
  shard.take_back(key_of(1), 3);
  shard.reached(3);  // its successor may still be on its way
  EXPECT_EQ(keys_of(shard), Keys{key_of(1)});
  shard.put(key_of(1), value_of_row(11), 0);
  shard.reached(5);
  ASSERT_EQ(keys_of(shard), Keys{key_of(1)});
  EXPECT_EQ(shard.look(all()).rows.front().values, value_of_row(11));
  shard.take_back(key_of(1), 5);
  shard.reached(6);  // no successor: it has gone
  EXPECT_EQ(keys_of(shard), Keys{});
  EXPECT_EQ(shard.bytes(), 0u);
}

TEST(ServedShard, WhatAWindowTakesBackGoesWithItsSuccessor) {
  ServedShard shard(shape_of(true), nullptr);
  shard.put(key_of(1, 0, 5), value_of_row(1), 0);
  shard.put(key_of(1, 7, 9), value_of_row(1), 0);
  shard.put(key_of(2, 0, 5), value_of_row(1), 0);
  for (const std::string& key : {key_of(1, 0, 5), key_of(1, 7, 9), key_of(2, 0, 5)})
    shard.take_back(key, 9);
  EXPECT_EQ(keys_of(shard).size(), 3u);
  shard.put(key_of(1, 0, 9), value_of_row(2), 0);
  EXPECT_EQ(keys_of(shard), (Keys{key_of(1, 0, 9), key_of(2, 0, 5)}));
}

TEST(ServedShard, ASessionTakesInThoseWithinItsBounds) {
  ServedShard shard(shape_of(true, Duration(0), true), nullptr);
  for (const auto& [start, end] : {std::pair(0, 5), std::pair(7, 9), std::pair(20, 30)})
    shard.put(key_of(1, start, end), value_of_row(1), 0);
  shard.put(key_of(2, 1, 2), value_of_row(1), 0);
  shard.put(key_of(1, 0, 9), value_of_row(2), 0);
  EXPECT_EQ(keys_of(shard), (Keys{key_of(1, 0, 9), key_of(1, 20, 30), key_of(2, 1, 2)}));
}

TEST(ServedShard, RowsThatAreOverAreNotSeenAndGo) {
  ServedShard shard(shape_of(true, Duration(10)), nullptr);
  for (std::int64_t id = 0; id < 1000; ++id) shard.put(key_of(id, 0, 5), value_of_row(1), 4);
  shard.put(key_of(7, 5, 10), value_of_row(1), 9);
  shard.reached(15);
  EXPECT_EQ(shard.look(all()).rows.size(), 1001u);  // 5 + 10 is not before 15
  EXPECT_EQ(shard.rows(), 1001u);
  shard.reached(16);
  EXPECT_EQ(keys_of(shard), Keys{key_of(7, 5, 10)});  // at once, whatever was removed so far
  for (int call = 0; call < 8; ++call) shard.sweep(256);
  EXPECT_EQ(shard.rows(), 1u);
  shard.reached(kTimeMax);  // the end of input is no time
  EXPECT_EQ(keys_of(shard), Keys{key_of(7, 5, 10)});
}

TEST(ServedShard, APageEndsWhereItIsFullAndGoesOnBehind) {
  ServedShard shard(shape_of(false), nullptr);
  for (std::int64_t id = 0; id < 10; ++id) shard.put(key_of(id), value_of_row(id), 0);
  const ServedPart part = shard.look(all(3));
  ASSERT_EQ(part.rows.size(), 4u);  // one more: so that there is a next page only where there are
  EXPECT_EQ(part.looked_to, key_of(3));
  ServedQuestion rest = all(100);
  rest.after = key_of(7);
  EXPECT_EQ(shard.look(rest).rows.size(), 2u);
  EXPECT_EQ(shard.look(rest).looked_to, std::nullopt);
}

TEST(ServedShard, LooksAtSoManyRowsAndSaysHowFarItCame) {
  ServedShard shard(shape_of(false, Duration(1)), nullptr);
  const auto many = static_cast<std::int64_t>(2 * ServedShard::kLookMost);
  for (std::int64_t id = 0; id < many; ++id) shard.put(key_of(id), value_of_row(id), id);
  shard.reached(many - 1);
  std::size_t questions = 0;
  std::size_t rows = 0;
  ServedQuestion question = all();
  for (; questions < 5; ++questions) {
    const ServedPart part = shard.look(question);
    rows += part.rows.size();
    if (!part.looked_to) break;
    question.after = *part.looked_to;
  }
  EXPECT_EQ(questions, 1u);
  EXPECT_EQ(rows, 2u);
}

TEST(ServedShard, SkipsToTheWindowsOfATime) {
  ServedShard shard(shape_of(true), nullptr);
  for (std::int64_t id = 0; id < 100; ++id) {
    for (Time start = 0; start < 1000; start += 10)
      shard.put(key_of(id, start, start + 10), value_of_row(1), 0);
  }
  ServedQuestion question = all();
  question.windows_from = 500;
  question.windows_until = 520;
  const ServedPart part = shard.look(question);  // of 10,000 rows, more than one look takes
  EXPECT_EQ(part.looked_to, std::nullopt);
  ASSERT_EQ(part.rows.size(), 200u);
  for (const ServedRow& row : part.rows) {
    EXPECT_GE(window_start_of(row.key), 500);
    EXPECT_LT(window_start_of(row.key), 520);
    EXPECT_EQ(window_end_of(row.key), window_start_of(row.key) + 10);
  }
}

TEST(ServedShard, CountsItsMemoryAndIsRefusedWithoutATrace) {
  MemoryMeter meter(nullptr, 256u << 10);
  {
    ServedShard shard(shape_of(false), &meter);
    std::int64_t id = 0;
    const auto fill = [&] {
      for (; id < 100'000; ++id) shard.put(key_of(id), std::string(100, 'x'), 0);
    };
    EXPECT_THROW(fill(), MemoryRefused);
    EXPECT_GT(id, 500);
    EXPECT_EQ(shard.rows(), static_cast<std::uint64_t>(id));
    EXPECT_GE(meter.bytes(), shard.bytes());
    while (id > 0) shard.erase(key_of(--id));
    EXPECT_EQ(shard.bytes(), 0u);
    EXPECT_LE(meter.bytes(), 128u << 10);
  }
  EXPECT_EQ(meter.bytes(), 0u);
}

TEST(ServedTable, PagesOverShardsGiveEachRowOnceInOrder) {
  ServedTable table("t", shape_of(false));
  std::vector<std::shared_ptr<ServedShard>> shards;
  for (std::uint32_t task = 0; task < 3; ++task) {
    EXPECT_FALSE(table.ask(all()).has_value());  // not all are there
    shards.push_back(table.begin(task, 3, nullptr));
    table.ready();
  }
  for (std::int64_t id = 0; id < 100; ++id)
    shards[static_cast<std::size_t>(id * id % 3)]->put(key_of(id), value_of_row(id), 0);
  std::int64_t next_id = 0;
  ServedQuestion question = all(7);
  for (;;) {
    const auto answer = table.ask(question);
    ASSERT_TRUE(answer.has_value());
    for (const ServedRow& row : answer->rows) EXPECT_EQ(row.key, key_of(next_id++));
    if (!answer->next) break;
    question.after = *answer->next;
  }
  EXPECT_EQ(next_id, 100);
  EXPECT_EQ(table.figures()->rows, 100u);
  (void)table.begin(0, 3, nullptr);  // another run begins
  EXPECT_FALSE(table.ask(all()).has_value());
  EXPECT_FALSE(table.figures().has_value());
}

/// Rows of one shard that are over fill more than one look; the other one has its rows behind them.
TEST(ServedTable, APageGoesNoFurtherThanAllShardsHaveLooked) {
  ServedTable table("t", shape_of(false, Duration(1)));
  const auto far = table.begin(0, 2, nullptr);
  const auto near = table.begin(1, 2, nullptr);
  table.ready();
  table.ready();
  const auto over = static_cast<std::int64_t>(2 * ServedShard::kLookMost);
  for (std::int64_t id = 0; id <= over; ++id) far->put(key_of(id), value_of_row(id), id);
  for (std::int64_t id = 1; id <= 3; ++id) near->put(key_of(over + id), value_of_row(id), over);
  far->reached(over);
  near->reached(over);
  Keys seen;
  ServedQuestion question = all();
  for (int page = 0; page < 5; ++page) {
    const auto answer = table.ask(question);
    for (const ServedRow& row : answer->rows) seen.push_back(row.key);
    if (!answer->next) break;
    question.after = *answer->next;
  }
  const Keys wanted = {key_of(over - 1), key_of(over), key_of(over + 1), key_of(over + 2),
                       key_of(over + 3)};
  EXPECT_EQ(seen, wanted);
}

/// The rows 0..9 have the same value at any moment between two batches.
TEST(ServedTable, WhoAsksMeanwhileSeesWholeBatches) {
  ServedTable table("t", shape_of(false));
  const auto shard = table.begin(0, 1, nullptr);
  table.ready();
  std::atomic<bool> over{false};
  const auto batch = [&](std::int64_t value) {
    const auto lock = shard->lock();
    for (std::int64_t id = 0; id < 10; ++id) {
      shard->take_back(key_of(id), value);
      shard->put(key_of(id), value_of_row(value), value);
    }
  };
  batch(0);
  std::atomic<std::size_t> asked{0};
  std::thread asking([&] {
    while (!over) {
      const auto answer = table.ask(all());
      ASSERT_EQ(answer->rows.size(), 10u);
      for (const ServedRow& row : answer->rows) ASSERT_EQ(row.values, answer->rows.front().values);
      ++asked;
    }
  });
  for (std::int64_t value = 1; value < 2000 || asked < 100; ++value) batch(value);
  over = true;
  asking.join();
}

}  // namespace
}  // namespace millrace::detail
