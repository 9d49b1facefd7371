// Tests of JsonSource: records, dead letters with path and line, blank lines, what batches pin.
#include "connector/json_source.hpp"

#include <gtest/gtest.h>

#include "source_harness.hpp"

namespace millrace::detail {
namespace {

struct Edit {
  std::string_view page;
  std::int64_t delta = 0;
  bool is_robot = false;
};
struct Owned {
  std::string page;
};

constexpr std::string_view kLines =
    "{\"page\":\"A\",\"delta\":5,\"isRobot\":true}\n"
    "\n"
    "{\"page\":\"B\\n\\u00e9\",\"delta\":-1,\"isRobot\":false}\r\n"
    "  \t\r\n"
    "{\"page\":\"C\",\"delta\":\n"
    "{\"page\":\"D\",\"delta\":\"x\",\"isRobot\":false}\n"
    "{\"page\":\"E\",\"delta\":7,\"isRobot\":false}";

template <class T>
struct Outcome {
  std::vector<T> records;
  std::vector<ArenaRef> arenas;
};

template <class T>
Outcome<T> read_all(Source& source) {
  Outcome<T> outcome;
  for (Poll poll = Poll::ready; poll != Poll::ended;) {
    Batch<T> batch;
    poll = *source.poll(batch);
    outcome.records.insert(outcome.records.end(), batch.values.begin(), batch.values.end());
    outcome.arenas.insert(outcome.arenas.end(), batch.arenas.begin(), batch.arenas.end());
  }
  return outcome;
}

TEST(JsonSource, DecodesLinesAndSendsBadOnesToTheDeadLetters) {
  for (const std::size_t batch_records_max : {1, 2, 1000}) {
    for (const std::size_t block_bytes : {1, 40, 1 << 18}) {
      SourceHarness harness;
      harness.env.files.put("edits.jsonl", std::string(kLines));
      harness.context.batch_records_max = batch_records_max;
      JsonSource<Edit> source({.path = "edits.jsonl", .block_bytes = block_bytes});
      ASSERT_TRUE(source.open(harness.context));
      const Outcome<Edit> outcome = read_all<Edit>(source);
      ASSERT_EQ(outcome.records.size(), 3u);
      EXPECT_EQ(outcome.records[0].page, "A");
      EXPECT_TRUE(outcome.records[0].is_robot);
      EXPECT_EQ(outcome.records[1].page, "B\n\u00e9");
      EXPECT_EQ(outcome.records[1].delta, -1);
      EXPECT_EQ(outcome.records[2].page, "E");
      EXPECT_EQ(source.records_read(), 5u);
      const auto& letters = harness.dead_letters.letters;
      ASSERT_EQ(letters.size(), 2u);
      EXPECT_EQ(letters[0].where, "edits.jsonl:5");
      EXPECT_EQ(letters[0].record, "{\"page\":\"C\",\"delta\":");
      EXPECT_FALSE(letters[0].reason.empty());
      EXPECT_EQ(letters[1].where, "edits.jsonl:6");
      EXPECT_NE(letters[1].reason.find("delta"), std::string::npos) << letters[1].reason;
    }
  }
}

TEST(JsonSource, PinsOnlyWhatRecordsBorrow) {
  SourceHarness harness;
  harness.env.files.put("plain", "{\"page\":\"A\"}\n{\"page\":\"B\"}\n");
  harness.env.files.put("escaped", "{\"page\":\"\\n\"}\n");
  JsonSource<Owned> owned({.path = "plain"});
  ASSERT_TRUE(owned.open(harness.context));
  const Outcome<Owned> owning = read_all<Owned>(owned);
  EXPECT_EQ(owning.records.size(), 2u);
  EXPECT_TRUE(owning.arenas.empty());
  struct Page {
    std::string_view page;
  };
  JsonSource<Page> plain({.path = "plain"});
  ASSERT_TRUE(plain.open(harness.context));
  EXPECT_EQ(read_all<Page>(plain).arenas.size(), 1u);
  JsonSource<Page> escaped({.path = "escaped"});
  ASSERT_TRUE(escaped.open(harness.context));
  EXPECT_EQ(read_all<Page>(escaped).arenas.size(), 2u);
}

TEST(JsonSource, CountsLapsAndLinesOfEachLap) {
  SourceHarness harness;
  harness.env.files.put("f", "{\"page\":\"A\"}\n\nbad\n");
  JsonSource<Owned> source({.path = "f", .repeat = true});
  ASSERT_TRUE(source.open(harness.context));
  Batch<Owned> batch;
  std::size_t records = 0;
  while (batch.lap < 2) {
    records += batch.size();
    batch.clear();
    ASSERT_EQ(*source.poll(batch), Poll::ready);
  }
  EXPECT_EQ(records, 2u);
  EXPECT_EQ(source.records_read(), 6u);  // two laps and the third's first batch
  ASSERT_EQ(harness.dead_letters.letters.size(), 3u);
  EXPECT_EQ(harness.dead_letters.letters[2].where, "f:3");
}

}  // namespace
}  // namespace millrace::detail
