// Tests of VectorSource: ownership, turns and ends of partitions.
#include "connector/vector_source.hpp"

#include <gtest/gtest.h>

#include <map>

#include "source_harness.hpp"

namespace millrace::detail {
namespace {

struct Polled {
  std::uint32_t partition;
  std::uint64_t offset;
  std::vector<int> values;
  Poll poll;
  friend bool operator==(const Polled&, const Polled&) = default;
};

std::vector<Polled> poll_all(Source& source) {
  std::vector<Polled> all;
  for (;;) {
    Batch<int> batch;
    const Poll poll = *source.poll(batch);
    all.push_back({batch.partition, batch.offset, batch.values, poll});
    if (poll == Poll::ended) return all;
  }
}

TEST(VectorSource, InterleavesItsPartitionsAndReportsEachEndOnce) {
  SourceHarness harness;
  harness.context.batch_records_max = 2;
  VectorSource<int> source({{1, 2, 3, 4, 5}, {6, 7}, {}});
  ASSERT_TRUE(source.open(harness.context));
  EXPECT_EQ(source.partitions(), 3u);
  EXPECT_EQ(poll_all(source), (std::vector<Polled>{{0, 0, {1, 2}, Poll::ready},
                                                   {1, 0, {6, 7}, Poll::partition_ended},
                                                   {2, 0, {}, Poll::partition_ended},
                                                   {0, 2, {3, 4}, Poll::ready},
                                                   {0, 4, {5}, Poll::ended}}));
  EXPECT_EQ(source.records_read(), 7u);
  Batch<int> batch;
  EXPECT_EQ(*source.poll(batch), Poll::ended);
  EXPECT_EQ(batch.size(), 0u);
}

TEST(VectorSource, TasksShareThePartitionsAndNothingElse) {
  const auto records = std::make_shared<const std::vector<std::vector<int>>>(
      std::vector<std::vector<int>>{{0, 1}, {10}, {20, 21, 22}, {30}});
  for (std::uint32_t tasks = 1; tasks <= 6; ++tasks) {
    std::map<int, int> met;
    for (std::uint32_t task = 0; task < tasks; ++task) {
      SourceHarness harness;
      harness.context.task = task;
      harness.context.tasks = tasks;
      VectorSource<int> source(records);
      ASSERT_TRUE(source.open(harness.context));
      std::uint32_t ends = 0;
      for (const Polled& polled : poll_all(source)) {
        ends += polled.poll != Poll::ready ? 1 : 0;
        for (const int value : polled.values) {
          ++met[value];
          EXPECT_EQ(static_cast<std::uint32_t>(value / 10), polled.partition * tasks + task);
        }
      }
      EXPECT_EQ(ends, std::max(source.partitions(), 1u));
    }
    EXPECT_EQ(met.size(), 7u) << tasks << " tasks";
    for (const auto& [value, times] : met) EXPECT_EQ(times, 1) << value;
  }
}

}  // namespace
}  // namespace millrace::detail
