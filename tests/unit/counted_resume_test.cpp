// Sources whose partitions count their records, and journals: the rest behind a position.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "connector/generator_source.hpp"
#include "connector/journal_feed.hpp"
#include "connector/vector_source.hpp"
#include "journal/journal.hpp"
#include "source_harness.hpp"

namespace millrace::detail {
namespace {

using Make = std::function<std::unique_ptr<Source>()>;

/// Reads with `tasks` sources for `polls` polls each; the positions are those they end with.
Status read(const Make& make, std::uint32_t tasks, int polls,
            std::vector<SourcePosition>& positions, bool resumes, std::vector<int>& given) {
  SourceHarness harness;
  harness.context.batch_records_max = 3;
  harness.context.tasks = tasks;
  const std::vector<SourcePosition> from = std::exchange(positions, {});
  for (std::uint32_t task = 0; task < tasks; ++task) {
    harness.context.task = task;
    const std::unique_ptr<Source> source = make();
    if (Status status = source->open(harness.context); !status) return status;
    EXPECT_TRUE(source->replayable());
    if (Status status = resumes ? source->resume(from) : Status(); !status) return status;
    for (int poll = 0; poll < polls; ++poll) {
      Batch<int> batch;
      const Result<Poll> polled = source->poll(batch);
      EXPECT_TRUE(polled);
      given.insert(given.end(), batch.values.begin(), batch.values.end());
      if (*polled == Poll::ended) break;
    }
    source->save_positions(positions);
  }
  return {};
}

void expect_the_rest(const Make& make, int records) {
  for (std::uint32_t tasks = 1; tasks < 4; ++tasks) {
    std::vector<SourcePosition> positions;
    std::vector<int> given;
    ASSERT_TRUE(read(make, tasks, 2, positions, false, given));
    ASSERT_LT(given.size(), static_cast<std::size_t>(records));
    ASSERT_TRUE(read(make, 4 - tasks, 1, positions, true, given));
    ASSERT_TRUE(read(make, 2, 99, positions, true, given));
    const std::size_t all = given.size();
    ASSERT_TRUE(read(make, 1, 99, positions, true, given));
    EXPECT_EQ(given.size(), all) << "what had ended began again";
    std::sort(given.begin(), given.end());
    std::vector<int> expected(static_cast<std::size_t>(records));
    for (int at = 0; at < records; ++at) expected[static_cast<std::size_t>(at)] = at;
    EXPECT_EQ(given, expected);
  }
}

Make generator(std::uint32_t partitions) {
  const auto same = [](std::uint64_t index) { return static_cast<int>(index); };
  return
      [=] { return std::make_unique<GeneratorSource<int, decltype(same)>>(same, 40, partitions); };
}

TEST(CountedResume, GeneratedRecordsGoOn) { expect_the_rest(generator(5), 40); }

TEST(CountedResume, RecordsInMemoryGoOn) {
  expect_the_rest(
      [] {
        return std::make_unique<VectorSource<int>>(
            VectorSource<int>::Partitions{{0, 1, 2, 3, 4, 5, 6}, {}, {7, 8, 9, 10, 11, 12}, {13}});
      },
      14);
}

TEST(CountedResume, AnotherNumberOfPartitionsIsRefused) {
  std::vector<SourcePosition> positions;
  std::vector<int> given;
  ASSERT_TRUE(read(generator(2), 1, 1, positions, false, given));
  EXPECT_EQ(read(generator(3), 1, 1, positions, true, given).code(), Code::source_failed);
}

TEST(CountedResume, AJournalGoesOnAtItsOffsets) {
  SourceHarness harness;
  auto journal = Journal::open(harness.env.disk, harness.env.clock, "j", {.segment_bytes = 1024});
  ASSERT_TRUE(journal);
  auto topic = (*journal)->create_topic("t", {.partitions = 2});
  ASSERT_TRUE(topic);
  for (int number = 0; number < 10; ++number) {
    JournalRecord record;
    const std::string value = std::to_string(number);
    record.value = value;
    ASSERT_TRUE((*topic)->log(number % 2)->append(std::span(&record, 1)));
  }
  std::vector<SourcePosition> positions;
  std::vector<std::string> given;
  const auto read_some = [&](int records, bool resumes) -> Status {
    const auto feed = make_journal_feed({"j", "t", "earliest", false});
    if (Status status = feed->open(harness.context); !status) return status;
    const auto from = std::exchange(positions, {});
    if (Status status = resumes ? feed->resume(from) : Status(); !status) return status;
    for (int left = records; left > 0 && !feed->ended(); --left) {
      FedRecord record;
      const auto more = feed->next(record);
      if (!more) return more.error();
      if (*more) given.emplace_back(record.value);
      feed->pass(*more);
    }
    feed->save_positions(positions);
    return {};
  };
  ASSERT_TRUE(read_some(3, false));
  EXPECT_EQ(positions[1].partition, "t/1");
  ASSERT_TRUE(read_some(99, true));
  std::sort(given.begin(), given.end());
  EXPECT_EQ(given, (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}));
  positions[0].bytes = "77";
  const Status refused = read_some(1, true);
  EXPECT_EQ(refused.code(), Code::source_failed);
  EXPECT_NE(refused.message().find("it is another journal than before"), std::string::npos)
      << refused.message();
}

}  // namespace
}  // namespace millrace::detail
