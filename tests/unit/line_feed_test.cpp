// Many files: as partitions, merged by time, packed with zstd, and files that are wrong.
#include "connector/line_feed.hpp"

#include <gtest/gtest.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "connector/csv_source.hpp"
#include "connector/json_source.hpp"
#include "connector/line_source.hpp"
#include "connector/merged_source.hpp"
#include "connector/open_input.hpp"
#include "folder_harness.hpp"
#include "source_harness.hpp"

namespace millrace::detail {
namespace {

struct Event {
  Timestamp time;
  std::string_view name;
};

std::string event(std::int64_t millis, const std::string& name) {
  return "{\"time\":" + std::to_string(millis) + ",\"name\":\"" + name + "\"}\n";
}

/// The records of a source by partition, texts copied while their batch lives.
struct Read {
  std::map<std::uint32_t, std::vector<std::string>> names;
  std::vector<std::string> all;
  std::vector<Time> times;
  Status failure;
};

Read read_events(Source& source, const EndContext& context) {
  Read read;
  read.failure = source.open(context);
  for (Poll poll = Poll::ready; read.failure.ok() && poll != Poll::ended;) {
    Batch<Event> batch;
    const Result<Poll> polled = source.poll(batch);
    if (!polled) {
      read.failure = polled.error();
      break;
    }
    poll = *polled;
    for (const Event& record : batch.values) {
      read.names[batch.partition].emplace_back(record.name);
      read.all.emplace_back(record.name);
      read.times.push_back(record.time.micros);
    }
  }
  return read;
}

MergedSource<Event, Timestamp Event::*> merged(std::string pattern) {
  return {std::move(pattern),
          [](const std::string& path) {
            return std::make_unique<JsonSource<Event>>(LineInputOptions{.path = path});
          },
          &Event::time};
}

TEST(FileFeed, EachFileIsAPartitionAndTasksShareThem) {
  SourceHarness harness;
  for (int file = 0; file < 100; ++file) {
    const std::string name = "logs/" + std::to_string(100 + file) + ".jsonl";
    harness.env.files.put(name, event(1, name) + event(2, name) + "bad\n");
  }
  harness.env.files.put("logs/other.txt", "x");
  harness.context.batch_records_max = 2;
  std::size_t records = 0;
  for (std::uint32_t task = 0; task < 3; ++task) {
    harness.context.task = task;
    harness.context.tasks = 3;
    JsonSource<Event> source({.path = "logs/*.jsonl"});
    const Read read = read_events(source, harness.context);
    ASSERT_TRUE(read.failure) << read.failure.message();
    EXPECT_EQ(source.partitions(), task == 0 ? 34u : 33u);
    EXPECT_EQ(read.names.size(), source.partitions());
    for (const auto& [partition, names] : read.names) {
      ASSERT_EQ(names.size(), 2u);
      EXPECT_EQ(names[0], names[1]);
      EXPECT_EQ(source.partition_name(partition), names[0]);
    }
    EXPECT_EQ(source.records_read(), 3 * source.partitions());
    records += read.all.size();
  }
  EXPECT_EQ(records, 200u);
  ASSERT_EQ(harness.dead_letters.letters.size(), 100u);
  EXPECT_EQ(harness.dead_letters.letters[0].where, "logs/100.jsonl:3");
}

TEST(FileFeed, EachFileOfCsvHasItsOwnHeader) {
  SourceHarness harness;
  harness.env.files.put("a.csv", "time,name\n1,a\n2,b\n");
  harness.env.files.put("b.csv", "name,extra,time\nc,,3\n");
  harness.context.batch_records_max = 1;
  CsvSource<Event> source({.path = "?.csv"});
  const Read read = read_events(source, harness.context);
  ASSERT_TRUE(read.failure) << read.failure.message();
  EXPECT_EQ(read.names.at(0), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read.names.at(1), (std::vector<std::string>{"c"}));
  EXPECT_EQ(source.records_read(), 3u);
}

TEST(FileFeed, SaysThatNothingMatches) {
  SourceHarness harness;
  LineSource source({.path = "none/*.txt"});
  const Status status = source.open(harness.context);
  EXPECT_EQ(status.code(), Code::source_failed);
  EXPECT_NE(status.message().find("\"none/*.txt\" matches no file"), std::string::npos);
}

TEST(FileFeed, RealPatternsSkipFoldersAndKeepTheirOrder) {
  const FolderHarness folder;
  folder.put("b.log", "2\n");
  folder.put("a.log", "1\n");
  std::filesystem::create_directory(folder.path("c.log"));
  EXPECT_EQ(*real_env().files->list(folder.path("*.log")),
            (std::vector<std::string>{folder.path("a.log"), folder.path("b.log")}));
  EXPECT_EQ(real_env().files->list(folder.path("*.none")).error().code(), Code::source_failed);
  folder.put("odd[1].log", "3\n");
  EXPECT_EQ(real_env().files->list(folder.path("odd[1].log"))->size(), 1u);
}

TEST(FileFeed, AFileThatShrinksIsNamed) {
  const FolderHarness folder;
  const std::string path = folder.put("f", std::string(100'000, '\n'));
  auto reader = *open_input(*real_env().files, path);
  char buffer[1000];
  ASSERT_EQ(*reader->read(buffer, sizeof buffer), sizeof buffer);
  std::filesystem::resize_file(path, 10);
  const Result<std::size_t> next = reader->read(buffer, sizeof buffer);
  ASSERT_FALSE(next);
  EXPECT_NE(next.error().message().find("shrank while it was read: it had 100000 bytes"),
            std::string::npos)
      << next.error().message();
}

TEST(MergedSource, HandsOnInTheOrderOfTime) {
  std::mt19937 random(7);
  for (int turn = 0; turn < 20; ++turn) {
    SourceHarness harness;
    std::vector<std::pair<std::int64_t, std::string>> wanted;
    for (int file = 0; file < 12; ++file) {
      std::string content = file % 3 == 0 ? "bad\n\n" : "";
      std::int64_t time = random() % 2'000;
      const std::size_t count = file == 5 ? 0 : random() % 700;
      for (std::size_t line = 0; line < count; ++line) {
        time += random() % 3;
        const std::string name = std::to_string(file) + ":" + std::to_string(line);
        content += event(time, name);
        wanted.emplace_back(time, name);
      }
      harness.env.files.put("log" + std::to_string(100 + file), content);
    }
    std::stable_sort(wanted.begin(), wanted.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    auto source = merged("log*");
    const Read read = read_events(source, harness.context);
    ASSERT_TRUE(read.failure) << read.failure.message();
    ASSERT_EQ(read.all.size(), wanted.size());
    for (std::size_t at = 0; at < wanted.size(); ++at) {
      ASSERT_EQ(read.all[at], wanted[at].second) << at;
    }
    EXPECT_EQ(harness.dead_letters.letters.size(), 4u);
    EXPECT_EQ(source.records_read(), wanted.size() + 4);
  }
}

TEST(MergedSource, HoldsOnlyOverlappingFilesOpen) {
  SourceHarness harness;
  for (int file = 0; file < 600; ++file) {
    harness.env.files.put("day" + std::to_string(1000 + file), event(file, "a") + event(file, "b"));
  }
  auto days = merged("day*");
  EXPECT_EQ(read_events(days, harness.context).all.size(), 1200u);
  for (int file = 0; file < 300; ++file) {
    harness.env.files.put("all" + std::to_string(1000 + file), event(0, "a") + event(9, "b"));
  }
  auto all = merged("all*");
  const Status failure = read_events(all, harness.context).failure;
  EXPECT_EQ(failure.code(), Code::source_failed);
  EXPECT_NE(failure.message().find("overlap in time"), std::string::npos) << failure.message();
}

std::string zstd(const std::string& text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  packed.resize(ZSTD_compress2(context, packed.data(), packed.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return packed;
}

TEST(ZstdReader, UnpacksFramesAndNamesDamage) {
  std::string text;
  for (int line = 0; line < 50'000; ++line) text += "line " + std::to_string(line) + "\n";
  const std::string packed = zstd(text) + zstd("last\n");
  const auto read = [](const std::string& content, std::size_t capacity, bool short_reads) {
    SourceHarness harness({.short_reads = short_reads, .not_ready_chance = short_reads ? 0.3 : 0});
    harness.env.files.put("f", content);
    auto reader = *open_input(harness.env.files, "f");
    std::pair<std::string, Status> result;
    std::string buffer(capacity, ' ');
    for (;;) {
      const Result<std::size_t> count = reader->read(buffer.data(), capacity);
      if (!count) result.second = count.error();
      if (!count || *count == 0) return result;
      if (*count != ByteReader::kNotReady) result.first.append(buffer, 0, *count);
    }
  };
  for (const std::size_t capacity : {1u, 1000u, 1u << 20}) {
    for (const bool short_reads : {false, true}) {
      const auto [content, failure] = read(packed, capacity, short_reads);
      EXPECT_TRUE(failure) << failure.message();
      EXPECT_EQ(content, text + "last\n");
    }
  }
  const auto [begin, cut] = read(packed.substr(0, packed.size() / 2), 1000, false);
  EXPECT_EQ(cut.code(), Code::input_corrupt);
  EXPECT_NE(cut.message().find("ends in the middle"), std::string::npos) << cut.message();
  EXPECT_TRUE(text.starts_with(begin));
  std::string damaged = packed;
  damaged[damaged.size() / 3] ^= 0x55;
  EXPECT_EQ(read(damaged, 1000, false).second.code(), Code::input_corrupt);
}

}  // namespace
}  // namespace millrace::detail
