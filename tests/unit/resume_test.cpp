// Sources named where they stood, and new ones that go on there: the rest is exactly the rest.
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connector/block_source.hpp"
#include "connector/csv_source.hpp"
#include "connector/json_source.hpp"
#include "connector/line_source.hpp"
#include "env/random.hpp"
#include "folder_harness.hpp"
#include "source_harness.hpp"

namespace millrace::detail {
namespace {

using Texts = std::vector<std::string>;
using Make = std::function<std::unique_ptr<Source>()>;

struct Item {
  int number = 0;
  std::string name;
};

/// What sources gave, by the name of the partition.
struct Given {
  std::map<std::string, Texts> texts;
  std::vector<SourcePosition> positions;
  bool ended = true;
  Status status;
};

void take(const BatchBase& base, Texts& to, std::string_view*) {
  for (const auto line : static_cast<const Batch<std::string_view>&>(base).values) {
    to.emplace_back(line);
  }
}
void take(const BatchBase& base, Texts& to, Item*) {
  for (const Item& item : static_cast<const Batch<Item>&>(base).values) {
    to.push_back(std::to_string(item.number) + item.name);
  }
}
void take(const BatchBase& base, Texts& to, LineRun*) {
  for (const LineRun& run : static_cast<const LineBlock&>(base).runs()) {
    std::string_view left = run.text;
    for (std::uint64_t number = run.first_line; !left.empty(); ++number) {
      const std::size_t end = std::min(left.find('\n'), left.size() - 1);
      to.push_back(std::to_string(number) + ":" + std::string(left.substr(0, end + 1)));
      left.remove_prefix(end + 1);
    }
  }
}

template <class T>
auto batch_of() {
  if constexpr (std::is_same_v<T, LineRun>) {
    return LineBlock();
  } else {
    return Batch<T>();
  }
}

/// Runs `tasks` sources from `from` on, each until it ended or for `polls` polls.
template <class T>
void run(SourceHarness& harness, const Make& make, std::uint32_t tasks, int polls,
         const std::vector<SourcePosition>* from, Given& given) {
  for (std::uint32_t task = 0; task < tasks; ++task) {
    EndContext context = harness.context;
    context.task = task;
    context.tasks = tasks;
    const std::unique_ptr<Source> source = make();
    given.status = source->open(context);
    if (!given.status) return;
    EXPECT_TRUE(source->replayable());
    if (from != nullptr) given.status = source->resume(*from);
    if (!given.status) return;
    bool ended = false;
    for (int poll = 0; poll < polls && !ended; ++poll) {
      auto batch = batch_of<T>();
      const Result<Poll> polled = source->poll(batch);
      given.status = polled.error();
      if (!polled) return;
      ended = *polled == Poll::ended;
      if (batch.size() > 0) {
        take(batch, given.texts[source->partition_name(batch.partition)], static_cast<T*>(nullptr));
      }
    }
    given.ended &= ended;
    source->save_positions(given.positions);
  }
}

template <class T>
std::map<std::string, Texts> all_of(SourceHarness& harness, const Make& make) {
  Given given;
  run<T>(harness, make, 1, 1 << 20, nullptr, given);
  EXPECT_TRUE(given.status) << given.status.message();
  return given.texts;
}

/// However often the source stops, and with whatever tasks, every record is given once.
template <class T>
void expect_exactly_the_rest(SourceHarness& harness, const Make& make) {
  const auto expected = all_of<T>(harness, make);
  ASSERT_FALSE(expected.empty());
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    Given given;
    std::vector<SourcePosition> positions;
    for (int runs = 0;; ++runs) {
      ASSERT_LT(runs, 2000);
      given.positions.clear();
      given.ended = true;
      run<T>(harness, make, 1 + static_cast<std::uint32_t>(random.below(4)),
             static_cast<int>(random.below(24)), runs == 0 ? nullptr : &positions, given);
      ASSERT_TRUE(given.status) << "seed " << seed << ": " << given.status.message();
      positions = given.positions;
      if (given.ended) break;
    }
    EXPECT_EQ(given.texts, expected) << "seed " << seed;
  }
}

std::string numbered_lines(int from, int count) {
  std::string text;
  for (int at = from; at < from + count; ++at) text += "line " + std::to_string(at) + "\n";
  return text;
}

Make lines_of(const std::string& path, std::size_t block_bytes = 256u << 10) {
  return [=] {
    return std::make_unique<LineSource>(LineInputOptions{.path = path, .block_bytes = block_bytes});
  };
}

TEST(Resume, LinesOfFilesGoOnWhereTheyStood) {
  SourceHarness harness;
  harness.context.batch_records_max = 3;
  harness.context.line_bytes_max = 40;
  harness.env.files.put("a.txt", "\xef\xbb\xbf" + numbered_lines(0, 50) + "no end");
  harness.env.files.put("b.txt", "\n\r\n" + std::string(500, 'x') + "\n" + numbered_lines(7, 9));
  harness.env.files.put("c.txt", "");
  harness.env.files.put("d.txt", std::string(900, 'y'));
  expect_exactly_the_rest<std::string_view>(harness, lines_of("?.txt", 64));
}

TEST(Resume, BlocksGoOnWithTheirLineNumbers) {
  SourceHarness harness;
  harness.env.files.put("a.txt", numbered_lines(0, 300));
  harness.env.files.put("b.txt", "one\ntwo");
  const Make make = [] {
    return std::make_unique<BlockSource>(LineInputOptions{.path = "?.txt", .block_bytes = 100});
  };
  expect_exactly_the_rest<LineRun>(harness, make);
}

TEST(Resume, RowsOfCsvKeepTheHeaderAndQuotedLines) {
  SourceHarness harness;
  harness.context.batch_records_max = 2;
  harness.env.files.put("a.csv", "name,number\n\"a\nb\",1\nc,2\n\"d\n\n\",3\ne,4\nf,5\n");
  harness.env.files.put("b.csv", "number,name\n6,g\n7,h\n8,i\n9,j\n");
  const Make make = [] {
    return std::make_unique<CsvSource<Item>>(
        LineInputOptions{.path = "?.csv", .quotes = {'"', ','}});
  };
  expect_exactly_the_rest<Item>(harness, make);
  EXPECT_TRUE(harness.dead_letters.letters.empty());
}

TEST(Resume, JsonSaysTheLineOfWhatItRefusesAsBefore) {
  SourceHarness harness;
  harness.context.batch_records_max = 2;
  harness.env.files.put("f",
                        "{\"number\":1,\"name\":\"\"}\n{\"number\":2,\"name\":\"\"}\n"
                        "{\"number\":3,\"name\":\"\"}\nbad\n");
  const Make make = [] {
    return std::make_unique<JsonSource<Item>>(LineInputOptions{.path = "f"});
  };
  Given given;
  run<Item>(harness, make, 1, 1, nullptr, given);
  Given rest;
  run<Item>(harness, make, 1, 9, &given.positions, rest);
  EXPECT_EQ(rest.texts["f"], Texts{"3"});
  ASSERT_EQ(harness.dead_letters.letters.size(), 1u);
  EXPECT_EQ(harness.dead_letters.letters[0].where, "f:4");
}

TEST(Resume, ARepeatedFileGoesOnInItsLap) {
  SourceHarness harness;
  harness.context.batch_records_max = 2;
  harness.env.files.put("f", "a\nb\nc\n");
  const Make make = [] {
    return std::make_unique<LineSource>(LineInputOptions{.path = "f", .repeat = true});
  };
  Given given;
  std::vector<SourcePosition> positions;
  for (int runs = 0; runs < 6; ++runs) {
    given.positions.clear();
    run<std::string_view>(harness, make, 1, 1, runs == 0 ? nullptr : &positions, given);
    ASSERT_TRUE(given.status) << given.status.message();
    positions = given.positions;
  }
  EXPECT_EQ(given.texts["f"], (Texts{"a", "b", "c", "a", "b", "c"}));
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

TEST(Resume, WhatIsPackedIsUnpackedUpToThere) {
  const FolderHarness folder;
  SourceHarness harness;
  harness.context.env = &real_env();
  harness.context.batch_records_max = 7;
  folder.put("a.gz", gzip(numbered_lines(0, 100)));
  folder.put("b", numbered_lines(100, 20));
  expect_exactly_the_rest<std::string_view>(harness, lines_of(folder.path("*"), 200));
}

TEST(Resume, NewFilesBeginAnewBehindThoseThatWereThere) {
  SourceHarness harness;
  harness.context.batch_records_max = 1;
  harness.env.files.put("b.txt", "b1\nb2\n");
  harness.env.files.put("c.txt", "c1\n");
  Given first;
  run<std::string_view>(harness, lines_of("?.txt"), 1, 4, nullptr, first);
  EXPECT_EQ(first.texts["b.txt"], (Texts{"b1", "b2"}));
  harness.env.files.put("a.txt", "a1\n");
  EndContext context = harness.context;
  LineSource source({.path = "?.txt"});
  ASSERT_TRUE(source.open(context));
  ASSERT_TRUE(source.resume(first.positions));
  ASSERT_EQ(source.partitions(), 3u);
  EXPECT_EQ(source.partition_name(0), "b.txt");
  EXPECT_EQ(source.partition_name(2), "a.txt");
  Given rest;
  run<std::string_view>(harness, lines_of("?.txt"), 2, 9, &first.positions, rest);
  EXPECT_EQ(rest.texts, (std::map<std::string, Texts>{{"a.txt", {"a1"}}}));
}

/// What a run says that is to go on where `before` stood in f, which holds `now`.
Status refusal(const std::string& before, const std::string& now, std::size_t polls = 1) {
  SourceHarness harness;
  harness.context.batch_records_max = 2;
  harness.env.files.put("f", before);
  Given given;
  run<std::string_view>(harness, lines_of("f", 16), 1, static_cast<int>(polls), nullptr, given);
  harness.env.files.put("f", now);
  Given rest;
  run<std::string_view>(harness, lines_of("f", 16), 1, 9, &given.positions, rest);
  return rest.status;
}

TEST(Resume, AFileThatIsNoMoreWhatItWasIsRefused) {
  const std::string text = numbered_lines(0, 100);
  EXPECT_TRUE(refusal(text, text + "more\n"));
  const Status shorter = refusal(text, text.substr(0, 300), 30);
  EXPECT_EQ(shorter.code(), Code::source_failed);
  EXPECT_NE(shorter.message().find("\"f\" has only 300 bytes, and reading was to go on at byte"),
            std::string::npos)
      << shorter.message();
  const Status other = refusal(text, "other" + text);
  EXPECT_EQ(other.code(), Code::source_failed);
  EXPECT_NE(other.message().find("begins otherwise than before"), std::string::npos)
      << other.message();
}

TEST(Resume, AFileThatIsGoneIsRefusedUnlessItHadEnded) {
  SourceHarness harness;
  harness.context.batch_records_max = 2;
  harness.env.files.put("a.txt", "a\n");
  harness.env.files.put("b.txt", numbered_lines(0, 9));
  Given given;
  run<std::string_view>(harness, lines_of("?.txt"), 1, 4, nullptr, given);
  ASSERT_EQ(given.texts["a.txt"], Texts{"a"});
  SourceHarness without_a;
  without_a.env.files.put("b.txt", numbered_lines(0, 9));
  Given rest;
  run<std::string_view>(without_a, lines_of("?.txt"), 1, 99, &given.positions, rest);
  EXPECT_TRUE(rest.status) << rest.status.message();
  EXPECT_EQ(given.texts["b.txt"].size() + rest.texts["b.txt"].size(), 9u);
  SourceHarness without_b;
  without_b.env.files.put("a.txt", "a\n");
  Given refused;
  run<std::string_view>(without_b, lines_of("?.txt"), 1, 9, &given.positions, refused);
  EXPECT_EQ(refused.status.code(), Code::source_failed);
  EXPECT_NE(refused.status.message().find("\"b.txt\" was not read to its end"), std::string::npos)
      << refused.status.message();
}

TEST(Resume, AFollowedLogGoesOnInItsFile) {
  const FolderHarness folder;
  SourceHarness harness;
  harness.context.env = &real_env();
  harness.context.batch_records_max = 2;
  const std::string path = folder.put("log", "a\nb\nc\nhal");
  const Make make = [&] {
    return std::make_unique<LineSource>(
        LineInputOptions{.path = path, .kind = EndpointKind::follow});
  };
  Given given;
  run<std::string_view>(harness, make, 1, 2, nullptr, given);
  EXPECT_EQ(given.texts[path], (Texts{"a", "b", "c"}));
  std::ofstream(path, std::ios::app) << "f\nd\n";
  Given rest;
  run<std::string_view>(harness, make, 1, 2, &given.positions, rest);
  EXPECT_EQ(rest.texts[path], (Texts{"half", "d"}));
  folder.put("log", "new\n");
  Given refused;
  run<std::string_view>(harness, make, 1, 2, &rest.positions, refused);
  EXPECT_EQ(refused.status.code(), Code::source_failed) << refused.status.message();
}

TEST(Resume, AFollowedLogThatWasMadeAnewIsNamedByItsNewFile) {
  const FolderHarness folder;
  SourceHarness harness;
  harness.context.env = &real_env();
  const std::string path = folder.put("log", "a long first line\n");
  const LineInputOptions options{.path = path, .kind = EndpointKind::follow};
  LineSource source(options);
  ASSERT_TRUE(source.open(harness.context));
  Batch<std::string_view> batch;
  ASSERT_TRUE(source.poll(batch));
  ASSERT_EQ(batch.values.size(), 1u);
  std::ofstream(path, std::ios::trunc) << "b\n";
  batch.clear();
  ASSERT_TRUE(source.poll(batch));
  ASSERT_EQ(batch.values.size(), 1u);
  std::vector<SourcePosition> positions;
  source.save_positions(positions);
  std::ofstream(path, std::ios::app) << "c\n";
  Given rest;
  run<std::string_view>(
      harness, [&] { return std::make_unique<LineSource>(options); }, 1, 2, &positions, rest);
  ASSERT_TRUE(rest.status) << rest.status.message();
  EXPECT_EQ(rest.texts[path], Texts{"c"});
}

TEST(Resume, WhatGivesNothingTwiceIsNotReplayable) {
  SourceHarness harness;
  harness.env.files.put("-", "a\n");
  LineSource standard({.path = "-"});
  ASSERT_TRUE(standard.open(harness.context));
  EXPECT_FALSE(standard.replayable());
  harness.context.env = &real_env();
  LineSource command({.path = "echo a", .kind = EndpointKind::exec});
  ASSERT_TRUE(command.open(harness.context));
  EXPECT_FALSE(command.replayable());
}

TEST(Resume, APositionThatCannotBeReadIsRefused) {
  SourceHarness harness;
  harness.env.files.put("f", "a\n");
  LineSource source({.path = "f"});
  ASSERT_TRUE(source.open(harness.context));
  const std::vector<SourcePosition> damaged{{"f", "\x01\x80"}};
  EXPECT_EQ(source.resume(damaged).code(), Code::state_unreadable);
}

}  // namespace
}  // namespace millrace::detail
