// Rows of CSV files: line ends in quotes, headers, byte order marks, quotes that nothing closes.
#include "connector/csv_source.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connector/json_source.hpp"
#include "source_harness.hpp"

namespace millrace::detail {
namespace {

struct Note {
  std::string text;
  int number = 0;
  friend bool operator==(const Note&, const Note&) = default;
};

struct Outcome {
  std::vector<Note> notes;
  std::vector<DeadLettersKept::Letter> letters;
  std::uint64_t read = 0;
  Status failure;
};

Outcome read(std::string content, std::size_t block_bytes, std::size_t batch_records_max,
             CsvFormatOptions options = {}, std::size_t line_bytes_max = 1 << 20) {
  SourceHarness harness;
  harness.env.files.put("notes.csv", std::move(content));
  harness.context.batch_records_max = batch_records_max;
  harness.context.line_bytes_max = line_bytes_max;
  CsvSource<Note> source({.path = "notes.csv",
                          .block_bytes = block_bytes,
                          .quotes = {options.dialect.quote, options.dialect.separator}},
                         CsvFormat<Note>(options));
  Outcome outcome;
  outcome.failure = source.open(harness.context);
  for (Poll poll = Poll::ready; outcome.failure.ok() && poll != Poll::ended;) {
    Batch<Note> batch;
    Result<Poll> polled = source.poll(batch);
    if (!polled) {
      outcome.failure = polled.error();
      break;
    }
    poll = *polled;
    outcome.notes.insert(outcome.notes.end(), batch.values.begin(), batch.values.end());
  }
  outcome.letters = harness.dead_letters.letters;
  outcome.read = source.records_read();
  return outcome;
}

/// Every way to cut the input into reads and batches must give the same rows.
template <class Check>
void in_all_sizes(const Check& check) {
  for (const std::size_t block_bytes : {1, 3, 64, 1 << 18}) {
    for (const std::size_t batch_records_max : {1, 2, 1000}) check(block_bytes, batch_records_max);
  }
}

TEST(CsvSource, ReadsQuotedNewlinesSeparatorsAndCrlf) {
  in_all_sizes([](std::size_t block_bytes, std::size_t batch_records_max) {
    const Outcome outcome = read(
        "\xef\xbb\xbftext,number\r\n\"a\nb\",1\r\n\r\n\"c,\"\"d\"\"\",2\ne "
        "\"f\",3\nbad,x\n\"g\n\nh\",4\n\"i \"\"\nj\"\" k\",5\nworse,y",
        block_bytes, batch_records_max);
    ASSERT_TRUE(outcome.failure) << outcome.failure.message();
    const std::vector<Note> wanted = {
        {"a\nb", 1}, {"c,\"d\"", 2}, {"e \"f\"", 3}, {"g\n\nh", 4}, {"i \"\nj\" k", 5}};
    EXPECT_EQ(outcome.notes, wanted);
    ASSERT_EQ(outcome.letters.size(), 2u);
    EXPECT_EQ(outcome.letters[0].where, "notes.csv:7");
    EXPECT_EQ(outcome.letters[1].where, "notes.csv:13");
    EXPECT_EQ(outcome.read, 7u);
  });
}

TEST(CsvSource, AQuoteThatNothingClosesCostsOneLine) {
  in_all_sizes([](std::size_t block_bytes, std::size_t batch_records_max) {
    for (const std::size_t line_bytes_max : {16u, 1u << 20}) {
      std::string content = "text,number\na,1\n\"b,2\n";
      for (int i = 0; i < 10; ++i) content += "c,3\n";
      const Outcome outcome = read(content, block_bytes, batch_records_max, {}, line_bytes_max);
      ASSERT_TRUE(outcome.failure) << outcome.failure.message();
      EXPECT_EQ(outcome.notes.size(), 11u);
      ASSERT_EQ(outcome.letters.size(), 1u);
      EXPECT_EQ(outcome.letters[0].where, "notes.csv: byte 16");
      EXPECT_EQ(outcome.letters[0].record, "\"b,2");
      EXPECT_NE(outcome.letters[0].reason.find("nothing closes"), std::string::npos);
    }
  });
}

TEST(CsvSource, WithoutHeader) {
  CsvFormatOptions in_order{.dialect = {}, .header = false, .columns = {}};
  EXPECT_EQ(read("a,1,extra\n", 64, 10, in_order).notes.at(0).number, 1);
  EXPECT_EQ(read("a\n", 64, 10, in_order).letters.size(), 1u);
  CsvFormatOptions named{.dialect = {}, .header = false, .columns = {"number", "text"}};
  EXPECT_EQ(read("1,a\n", 64, 10, named).notes.at(0).text, "a");
}

TEST(CsvSource, RefusesWrongColumnsAndUtf16) {
  EXPECT_EQ(read("text,count\na,1\n", 64, 10).failure.code(), Code::columns_mismatch);
  for (const std::size_t block_bytes : {1, 64}) {
    const Status utf16 = read(std::string("\xff\xfet\0e\0", 6), block_bytes, 10).failure;
    EXPECT_EQ(utf16.code(), Code::source_failed);
    EXPECT_NE(utf16.message().find("iconv"), std::string::npos);
  }
  EXPECT_TRUE(read("", 64, 10).failure);
  EXPECT_TRUE(read("text,number\n", 64, 10).failure);
}

TEST(CsvSource, JsonLinesMayBeginWithAByteOrderMark) {
  for (const std::size_t block_bytes : {1, 2, 1 << 18}) {
    SourceHarness harness;
    harness.env.files.put("f", "\xef\xbb\xbf{\"text\":\"a\",\"number\":1}\n");
    JsonSource<Note> source({.path = "f", .block_bytes = block_bytes});
    ASSERT_TRUE(source.open(harness.context));
    Batch<Note> batch;
    while (*source.poll(batch) != Poll::ended) {
    }
    EXPECT_EQ(batch.values.size(), 1u);
    EXPECT_TRUE(harness.dead_letters.letters.empty());
  }
}

}  // namespace
}  // namespace millrace::detail
