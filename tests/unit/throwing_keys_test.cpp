// Tests of keys that throw: each of their records is a dead letter, with any number of tasks, and
// all others are where they belong.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <stdexcept>

#include "millrace/millrace.hpp"
#include "run_harness.hpp"

namespace millrace::detail {
namespace {

constexpr std::uint64_t kRecords = 20'000;
constexpr std::int64_t kKeys = 50;

struct Numbered {
  Timestamp at;
  std::int64_t number = 0;
};

/// One of 97 records has no key.
std::int64_t key_of(const Numbered& one) {
  if (one.number % 97 == 5) throw std::runtime_error("no key");
  return one.number % kKeys;
}

std::uint64_t with_a_key() {
  std::uint64_t count = 0;
  for (std::uint64_t at = 0; at < kRecords; ++at) count += at % 97 == 5 ? 0 : 1;
  return count;
}

class ThrowingKeys : public testing::TestWithParam<std::uint32_t> {
 protected:
  Stream<Numbered> numbers() {
    return topology_
        .from(generate(kRecords,
                       [](std::uint64_t at) {
                         const auto number = static_cast<std::int64_t>(at);
                         return Numbered{Timestamp{number * 1'000}, number};
                       }))
        .event_time(&Numbered::at)
        .shuffle();
  }
  void expect_all_but_those() {
    const Ended ended = run(topology_, {.parallelism = GetParam()}, {.executors = 2});
    ASSERT_TRUE(ended.status) << ended.status.to_string();
    std::uint64_t dead_letters = 0;
    for (const auto& component : ended.report.components) dead_letters += component.dead_lettered;
    EXPECT_EQ(dead_letters, kRecords - with_a_key());
  }

  Topology topology_{"throwing keys"};
};

TEST_P(ThrowingKeys, OfRunningAggregates) {
  std::mutex mutex;
  std::map<std::int64_t, std::uint64_t> newest;
  numbers().key_by(key_of).count().to(each([&](const auto& row) {
    const std::lock_guard lock(mutex);
    auto& count = newest[row.key];
    count = std::max(count, static_cast<std::uint64_t>(row.value));
  }));
  expect_all_but_those();
  std::uint64_t sum = 0;
  for (const auto& [key, count] : newest) sum += count;
  EXPECT_EQ(sum, with_a_key());
  EXPECT_EQ(newest.size(), static_cast<std::size_t>(kKeys));
}

TEST_P(ThrowingKeys, OfWindows) {
  std::atomic<std::uint64_t> sum{0};
  numbers().key_by(key_of).window(session(1s)).count().to(each([&](const auto& row) {
    sum += static_cast<std::uint64_t>(row.value);
  }));
  expect_all_but_those();
  EXPECT_EQ(sum, with_a_key());
}

TEST_P(ThrowingKeys, OfTables) {
  std::atomic<std::uint64_t> rows{0};
  numbers().key_by(key_of).table().changes().to(each([&](const auto& change) {
    if (change.kind == ChangeKind::insert || change.kind == ChangeKind::update_after) ++rows;
  }));
  expect_all_but_those();
  EXPECT_EQ(rows, with_a_key());
}

INSTANTIATE_TEST_SUITE_P(Tasks, ThrowingKeys, testing::Values(1u, 2u, 5u));

}  // namespace
}  // namespace millrace::detail
