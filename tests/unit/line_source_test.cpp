// Tests of LineSource: offsets, laps, dead letters, tasks.
#include "connector/line_source.hpp"

#include <gtest/gtest.h>

#include "source_harness.hpp"

namespace millrace::detail {
namespace {

using Lines = Batch<std::string_view>;

TEST(LineSource, GivesBatchesWithOffsetsAndPinnedArenas) {
  SourceHarness harness;
  harness.env.files.put("f", "one\ntwo\r\n\nfour");
  harness.context.batch_records_max = 2;
  LineSource source({.path = "f"});
  ASSERT_TRUE(source.open(harness.context));
  EXPECT_EQ(source.partitions(), 1u);
  Lines first;
  ASSERT_EQ(*source.poll(first), Poll::ready);
  EXPECT_EQ(first.values, (std::vector<std::string_view>{"one", "two"}));
  EXPECT_EQ(first.offset, 0u);
  EXPECT_EQ(first.arenas.size(), 1u);
  Lines second;
  ASSERT_EQ(*source.poll(second), Poll::ready);
  EXPECT_EQ(second.values, (std::vector<std::string_view>{""}));
  EXPECT_EQ(second.offset, 9u);
  Lines third;
  ASSERT_EQ(*source.poll(third), Poll::ended);
  EXPECT_EQ(third.values, (std::vector<std::string_view>{"four"}));
  EXPECT_EQ(third.offset, 10u);
  EXPECT_EQ(source.records_read(), 4u);
  source.close();
  EXPECT_EQ(first.values,
            (std::vector<std::string_view>{"one", "two"}));  // the batch keeps its arena
  EXPECT_EQ(source.records_read(), 4u);
}

TEST(LineSource, RepeatsForEverWithCountedLaps) {
  SourceHarness harness;
  harness.env.files.put("f", "a\nb\n");
  LineSource source({.path = "f", .repeat = true});
  ASSERT_TRUE(source.open(harness.context));
  std::vector<std::pair<std::uint32_t, std::string>> met;
  Lines batch;
  for (int polls = 0; polls < 100 && met.size() < 6; ++polls) {
    batch.clear();
    ASSERT_EQ(*source.poll(batch), Poll::ready);
    for (const std::string_view line : batch.values) met.emplace_back(batch.lap, line);
  }
  EXPECT_EQ(met, (std::vector<std::pair<std::uint32_t, std::string>>{
                     {0, "a"}, {0, "b"}, {1, "a"}, {1, "b"}, {2, "a"}, {2, "b"}}));
  EXPECT_EQ(source.records_read(), 6u);
}

TEST(LineSource, RepeatingNothingEndsAndStandardInputCannotRepeat) {
  SourceHarness harness;
  harness.env.files.put("f", "");
  LineSource empty({.path = "f", .repeat = true});
  ASSERT_TRUE(empty.open(harness.context));
  Lines batch;
  EXPECT_EQ(*empty.poll(batch), Poll::ended);
  LineSource standard({.path = "-", .repeat = true});
  EXPECT_EQ(standard.open(harness.context).code(), Code::source_failed);
}

TEST(LineSource, ReadsStandardInputAndCountsTooLongLines) {
  SourceHarness harness;
  harness.env.files.put("-", "short\n0123456789\nlast\n");
  harness.context.line_bytes_max = 9;
  LineSource source({.path = "-"});
  ASSERT_TRUE(source.open(harness.context));
  std::vector<std::string> met;
  Lines batch;
  for (Poll poll = Poll::ready; poll != Poll::ended;) {
    batch.clear();
    poll = *source.poll(batch);
    for (const std::string_view line : batch.values) met.emplace_back(line);
  }
  EXPECT_EQ(met, (std::vector<std::string>{"short", "last"}));
  EXPECT_EQ(source.records_read(), 3u);
  ASSERT_EQ(harness.dead_letters.letters.size(), 1u);
  EXPECT_EQ(harness.dead_letters.letters[0].where, "-: byte 6");
  EXPECT_EQ(harness.dead_letters.letters[0].record, "0123456789");
}

TEST(LineSource, OnlyTheFirstTaskReads) {
  SourceHarness harness;
  harness.env.files.put("f", "a\n");
  harness.context.task = 1;
  harness.context.tasks = 2;
  LineSource source({.path = "f"});
  ASSERT_TRUE(source.open(harness.context));
  EXPECT_EQ(source.partitions(), 0u);
  Lines batch;
  EXPECT_EQ(*source.poll(batch), Poll::ended);
  EXPECT_EQ(batch.size(), 0u);
}

TEST(LineSource, SaysWhichFileIsMissing) {
  SourceHarness harness;
  LineSource source({.path = "no-such-file"});
  const Status status = source.open(harness.context);
  EXPECT_EQ(status.code(), Code::source_failed);
  EXPECT_NE(status.message().find("no-such-file"), std::string::npos);
}

}  // namespace
}  // namespace millrace::detail
