// Tests of GeneratorSource: the same records for every number of tasks, exact ends.
#include "connector/generator_source.hpp"

#include <gtest/gtest.h>

#include <set>

#include "source_harness.hpp"

namespace millrace::detail {
namespace {

const auto kSquare = [](std::uint64_t index) { return index * index; };
using Squares = GeneratorSource<std::uint64_t, decltype(kSquare)>;

TEST(GeneratorSource, MakesEachIndexOnceForEveryNumberOfTasksAndPartitions) {
  for (const std::uint64_t records : {0, 1, 2, 7, 100}) {
    for (std::uint32_t partitions = 1; partitions <= 5; ++partitions) {
      for (std::uint32_t tasks = 1; tasks <= 6; ++tasks) {
        SCOPED_TRACE(testing::Message()
                     << records << " records " << partitions << " partitions " << tasks);
        std::multiset<std::uint64_t> met;
        std::uint64_t read = 0;
        for (std::uint32_t task = 0; task < tasks; ++task) {
          SourceHarness harness;
          harness.context.batch_records_max = 3;
          harness.context.task = task;
          harness.context.tasks = tasks;
          Squares source(kSquare, records, partitions);
          ASSERT_TRUE(source.open(harness.context));
          std::vector<std::uint64_t> next(source.partitions(), 0);
          std::uint32_t ends = 0;
          for (Poll poll = Poll::ready; poll != Poll::ended;) {
            Batch<std::uint64_t> batch;
            poll = *source.poll(batch);
            ends += poll != Poll::ready ? 1 : 0;
            ASSERT_LE(batch.size(), 3u);
            for (std::size_t i = 0; i < batch.size(); ++i) {
              const std::uint64_t index =
                  (batch.offset + i) * partitions + batch.partition * tasks + task;
              EXPECT_EQ(batch.values[i], index * index);
              EXPECT_EQ(batch.offset + i, next[batch.partition]++);
              met.insert(batch.values[i]);
            }
          }
          EXPECT_EQ(ends, std::max(source.partitions(), 1u));
          read += source.records_read();
        }
        EXPECT_EQ(read, records);
        ASSERT_EQ(met.size(), records);
        for (std::uint64_t index = 0; index < records; ++index)
          EXPECT_EQ(met.count(index * index), 1u);
      }
    }
  }
}

TEST(GeneratorSource, RunsWithoutEndWhenNoCountIsGiven) {
  SourceHarness harness;
  Squares source(kSquare, std::nullopt, 2);
  ASSERT_TRUE(source.open(harness.context));
  Batch<std::uint64_t> batch;
  for (std::uint64_t poll = 0; poll < 1000; ++poll) {
    batch.clear();
    ASSERT_EQ(*source.poll(batch), Poll::ready);
    ASSERT_EQ(batch.size(), harness.context.batch_records_max);
    ASSERT_EQ(batch.partition, poll % 2);
  }
  EXPECT_EQ(source.records_read(), 1000 * harness.context.batch_records_max);
}

}  // namespace
}  // namespace millrace::detail
