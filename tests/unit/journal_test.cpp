// The journal: appending, reading, seeking, retention, idempotence, what is refused, recovery.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/crc32c.hpp"
#include "env/sim_disk.hpp"
#include "env/sim_env.hpp"
#include "journal/journal.hpp"

namespace millrace::detail {
namespace {

class RecordingLog final : public LogSink {
 public:
  void write(LogLevel, std::string_view event, std::string_view text) override {
    lines.push_back(std::string(event) + " " + std::string(text));
  }
  std::vector<std::string> lines;
};

class JournalTest : public testing::Test {
 protected:
  Journal& open(JournalOptions options = {}) {
    options.log = Log(&log_, LogLevel::info);
    journal_.reset();
    auto journal = Journal::open(disk_, clock_, "j", options);
    EXPECT_TRUE(journal.has_value()) << journal.error().to_string();
    journal_ = std::move(*journal);
    return *journal_;
  }
  Topic& make_topic(TopicOptions options = {}, JournalOptions journal = {}) {
    auto topic = open(journal).create_topic("t", options);
    EXPECT_TRUE(topic.has_value()) << topic.error().to_string();
    return **topic;
  }
  /// As a kill does: its end can do nothing any more.
  void end_process() {
    disk_.set_faults({DiskFault::power_cut, 0, false});
    journal_.reset();
    disk_.kill();
  }
  Topic& reopen(JournalOptions options = {}) { return **open(options).topic("t"); }

  static Result<Appended> append(Topic& topic, std::vector<std::string> texts, Time time = 0,
                                 ProducerStamp stamp = {}) {
    std::vector<JournalRecord> records;
    for (const std::string& text : texts) {
      records.emplace_back().value = text;
      records.back().time = time++;
    }
    return topic.log(0)->append(records, stamp);
  }
  static std::vector<std::string> values(LogReader& reader) {
    std::vector<std::string> found;
    JournalRecord record;
    for (;;) {
      const auto more = reader.next(record);
      EXPECT_TRUE(more.has_value()) << more.error().to_string();
      if (!more || !*more) return found;
      found.emplace_back(record.value.value_or("(none)"));
    }
  }
  static std::vector<std::string> values(Topic& topic, std::uint64_t offset = 0) {
    LogReader reader(topic.view(0), offset);
    return values(reader);
  }

  SimDisk disk_{1};
  SimClock clock_;
  RecordingLog log_;
  std::unique_ptr<Journal> journal_;
};

using Texts = std::vector<std::string>;

TEST(Crc32c, KnowsItsTestVectors) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(extend_crc32c(crc32c("1234"), "56789"), crc32c("123456789"));
}

TEST_F(JournalTest, ARecordComesBackWhole) {
  Topic& topic = make_topic();
  JournalRecord plain;
  plain.time = 17;
  JournalRecord full;
  full.time = INT64_MIN;
  full.key = "";
  full.value = std::string_view("a\0b", 3);
  full.headers = {{"trace", "7"}, {"", ""}};
  JournalRecord late;
  late.time = INT64_MAX;
  ASSERT_TRUE(topic.log(0)->append(std::vector{plain, full, late}).has_value());
  Topic* read = &topic;
  for (const bool again : {false, true}) {
    if (again) read = &reopen();
    LogReader reader(read->view(0), 0);
    JournalRecord record;
    ASSERT_TRUE(*reader.next(record));
    EXPECT_EQ(record.time, 17);
    EXPECT_FALSE(record.key || record.value);
    ASSERT_TRUE(*reader.next(record));
    EXPECT_EQ(record.offset, 1u);
    EXPECT_EQ(record.time, INT64_MIN);
    EXPECT_EQ(record.key, "");
    EXPECT_EQ(record.value, std::string_view("a\0b", 3));
    ASSERT_EQ(record.headers.size(), 2u);
    EXPECT_EQ(record.headers[0].name, "trace");
    EXPECT_EQ(record.headers[0].value, "7");
    ASSERT_TRUE(*reader.next(record));
    EXPECT_EQ(record.time, INT64_MAX);
    EXPECT_TRUE(record.headers.empty());
    EXPECT_FALSE(*reader.next(record));
  }
}

TEST_F(JournalTest, ReadersBeginAnywhereAndTail) {
  Topic& topic = make_topic({}, {.segment_bytes = 1024});
  LogReader tail(topic.view(0), 0);
  EXPECT_TRUE(values(tail).empty());
  Texts all;
  for (int turn = 0; turn < 100; ++turn) {
    const Texts two = {fmt::format("a{}", turn), fmt::format("b{}", turn)};
    ASSERT_EQ(append(topic, two, turn * 10)->offset, all.size());
    EXPECT_EQ(values(tail), two);
    all.insert(all.end(), two.begin(), two.end());
  }
  const PartitionShape shape = *topic.view(0).shape();
  EXPECT_GT(shape.sealed->size(), 5u);
  EXPECT_EQ(shape.end_offset(), all.size());
  for (std::uint64_t from = 0; from <= all.size(); from += 7)
    EXPECT_EQ(values(topic, from),
              Texts(all.begin() + static_cast<std::ptrdiff_t>(from), all.end()));
  LogReader beyond(topic.view(0), all.size() + 1);
  JournalRecord record;
  EXPECT_EQ(beyond.next(record).error().code(), Code::source_failed);
}

TEST_F(JournalTest, ATimeLeadsToItsFirstRecord) {
  Topic& topic = make_topic({}, {.segment_bytes = 1024});
  for (int turn = 0; turn < 100; ++turn) ASSERT_TRUE(append(topic, {"x"}, turn * 10).has_value());
  for (int turn = 0; turn < 100; ++turn) {
    EXPECT_EQ(*topic.view(0).offset_at(turn * 10), static_cast<std::uint64_t>(turn));
    EXPECT_EQ(*topic.view(0).offset_at(turn * 10 + 1), static_cast<std::uint64_t>(turn + 1));
  }
  EXPECT_EQ(*topic.view(0).offset_at(kTimeMin), 0u);
  // The index is a help, not a need.
  for (const std::string& path : disk_.paths()) {
    if (path.ends_with(".idx")) {
      ASSERT_TRUE(disk_.remove(path));
    }
  }
  EXPECT_EQ(*topic.view(0).offset_at(333), 34u);
}

TEST_F(JournalTest, RetentionTakesTheOldestSegments) {
  Topic& topic = make_topic({.retention = {.time = 1h, .bytes = 3000}}, {.segment_bytes = 1024});
  for (int turn = 0; turn < 50; ++turn)
    ASSERT_TRUE(append(topic, {std::string(100, 'x')}).has_value());
  const std::size_t files = disk_.paths().size();
  ASSERT_TRUE(journal_->step());
  const PartitionShape shape = *topic.view(0).shape();
  EXPECT_LE(shape.bytes(), 3000u);
  EXPECT_GT(shape.bytes(), 1500u);
  EXPECT_LT(disk_.paths().size(), files);
  LogReader old(topic.view(0), 0);
  JournalRecord record;
  EXPECT_EQ(old.next(record).error().code(), Code::source_failed);
  clock_.advance(59min);
  ASSERT_TRUE(journal_->step());
  EXPECT_EQ(topic.view(0).shape()->bytes(), shape.bytes());
  clock_.advance(2min);
  ASSERT_TRUE(journal_->step());
  EXPECT_TRUE(topic.view(0).shape()->sealed->empty());
  const std::uint64_t begin = topic.view(0).shape()->begin_offset();
  EXPECT_GT(begin, shape.begin_offset());
  Topic& again = reopen();
  EXPECT_EQ(again.options().retention.bytes, 3000u);
  EXPECT_EQ(again.view(0).shape()->begin_offset(), begin);
  EXPECT_EQ(again.view(0).shape()->end_offset(), 50u);
}

TEST_F(JournalTest, ARepeatedAppendIsStoredOnce) {
  Topic* topic = &make_topic({}, {.segment_bytes = 1024});
  for (std::uint64_t turn = 0; turn < 30; ++turn) {
    const ProducerStamp stamp{9, turn * 2};
    const Texts texts = {fmt::format("{}", turn), std::string(60, 'x')};
    ASSERT_FALSE(append(*topic, texts, 0, stamp)->duplicate);
    if (turn % 3 == 0) topic = &reopen({.segment_bytes = 1024});
    const auto again = append(*topic, texts, 0, stamp);
    ASSERT_TRUE(again.has_value()) << again.error().to_string();
    EXPECT_TRUE(again->duplicate);
    EXPECT_EQ(again->offset, turn * 2);
  }
  EXPECT_EQ(values(*topic).size(), 60u);
  // Also when its last append has come to lie in a sealed segment.
  while (topic->view(0).shape()->active.base_offset < 60)
    ASSERT_TRUE(append(*topic, {std::string(100, 'y')}).has_value());
  topic = &reopen({.segment_bytes = 1024});
  EXPECT_EQ(topic->log(0)->next_sequence(9), 60u);
  EXPECT_EQ(topic->log(0)->next_sequence(10), 0u);
  EXPECT_EQ(append(*topic, {"29", std::string(60, 'x')}, 0, {9, 58})->offset, 58u);
  EXPECT_EQ(append(*topic, {"x"}, 0, {9, 61}).error().code(), Code::parameter_invalid);  // a gap
  EXPECT_EQ(append(*topic, {"x"}, 0, {9, 10}).error().code(), Code::parameter_invalid);  // long ago
  EXPECT_FALSE(append(*topic, {"x"}, 0, {10, 0})->duplicate);
}

TEST_F(JournalTest, ASecondWriterIsRefusedAndReadersAreNot) {
  Topic& topic = make_topic({}, {.segment_bytes = 1024});
  EXPECT_EQ(Journal::open(disk_, clock_, "j", {}).error().code(), Code::sink_failed);
  auto other = Journal::open(disk_, clock_, "j", {.read_only = true});
  ASSERT_TRUE(other.has_value()) << other.error().to_string();
  Topic& seen = **(*other)->topic("t");
  EXPECT_EQ(seen.log(0), nullptr);
  LogReader tail(seen.view(0), 0);
  for (int turn = 0; turn < 40; ++turn) {
    const Texts texts = {fmt::format("{}", turn), std::string(50, 'y')};
    ASSERT_TRUE(append(topic, texts).has_value());
    EXPECT_EQ(values(tail), texts);
  }
}

TEST_F(JournalTest, ATornTailIsCutWithALine) {
  Topic* topic = &make_topic();
  ASSERT_TRUE(append(*topic, {"one"}).has_value());
  const std::string path = "j/t/0/00000000000000000000.log";
  const std::string one = disk_.content(path);
  ASSERT_TRUE(append(*topic, {"two"}).has_value());
  const std::string two = disk_.content(path);
  end_process();
  disk_.put(path, two.substr(0, two.size() - 2));
  log_.lines.clear();
  topic = &reopen();
  EXPECT_EQ(values(*topic), Texts{"one"});
  ASSERT_EQ(log_.lines.size(), 1u);
  EXPECT_NE(log_.lines[0].find("journal_tail_cut file=\"" + path), std::string::npos);
  EXPECT_EQ(disk_.content(path), one);
  EXPECT_EQ(append(*topic, {"other"})->offset, 1u);
  EXPECT_EQ(values(*topic), (Texts{"one", "other"}));
}

TEST_F(JournalTest, DamageInTheMiddleIsAnErrorWithFileAndOffset) {
  Topic& topic = make_topic();
  for (const char* text : {"one", "two", "three"}) ASSERT_TRUE(append(topic, {text}).has_value());
  end_process();
  const std::string path = "j/t/0/00000000000000000000.log";
  std::string bytes = disk_.content(path);
  bytes[kSegmentHeadBytes + kBatchHeadBytes + 5] ^= 1;
  disk_.put(path, bytes);
  const Status status = Journal::open(disk_, clock_, "j", {}).error();
  EXPECT_EQ(status.code(), Code::input_corrupt);
  EXPECT_NE(status.message().find(path + "\" is damaged at byte 24"), std::string::npos)
      << status.message();
  EXPECT_EQ(disk_.content(path), bytes);  // nothing is cut
}

TEST_F(JournalTest, AFailedSyncIsNeverTakenForSuccess) {
  Topic* topic = &make_topic();
  ASSERT_TRUE(append(*topic, {"one"}).has_value());
  disk_.set_faults({DiskFault::io_error, 1, false});  // write, then sync
  EXPECT_EQ(append(*topic, {"two"}, 0, {5, 0}).error().code(), Code::sink_failed);
  const Status after = append(*topic, {"three"}).error();
  EXPECT_EQ(after.code(), Code::sink_failed);
  EXPECT_NE(after.message().find("until the journal is opened again"), std::string::npos);
  EXPECT_FALSE(journal_->close());
  end_process();
  topic = &reopen();
  ASSERT_TRUE(append(*topic, {"two"}, 0, {5, 0}).has_value());  // stored once, whatever was there
  const Texts seen = values(*topic);
  end_process();
  disk_.lose_power();
  EXPECT_EQ(values(reopen()), seen);
  EXPECT_EQ(seen, (Texts{"one", "two"}));
}

/// A process may end before the names that it made are synced: whoever writes behind them, syncs
/// them.
TEST_F(JournalTest, NamesThatAKilledProcessMadeAreKept) {
  open();
  for (std::uint64_t call = 0; call < 40; ++call) {
    SCOPED_TRACE(call);
    const std::string name = "t" + std::to_string(call);
    disk_.set_faults({DiskFault::io_error, call, false});
    (void)journal_->create_topic(name, {});
    end_process();
    Journal& journal = open();
    const auto there = journal.topic(name);
    Topic& topic = there ? **there : **journal.create_topic(name, {});
    ASSERT_TRUE(append(topic, {"a"}).has_value());
    end_process();
    disk_.lose_power();
    const auto kept = open().topic(name);
    ASSERT_TRUE(kept.has_value()) << kept.error().to_string();
    EXPECT_EQ(values(**kept), std::vector<std::string>{"a"});
  }
}

TEST_F(JournalTest, WrongUseIsRefusedWithASentence) {
  Topic& topic = make_topic();
  EXPECT_EQ(topic.log(0)->append({}).error().code(), Code::parameter_invalid);
  for (const char* name : {"", ".t", "a/b", "journal", "lock", "\xc3\xa9"})
    EXPECT_EQ(journal_->create_topic(name, {}).error().code(), Code::parameter_invalid) << name;
  EXPECT_EQ(journal_->create_topic("t", {}).error().code(), Code::sink_failed);
  EXPECT_EQ(journal_->create_topic("u", {.partitions = 0}).error().code(), Code::parameter_invalid);
  ASSERT_TRUE(journal_->create_topic("orders", {}).has_value());
  EXPECT_NE(journal_->topic("order").error().message().find("did you mean \"orders\"?"),
            std::string::npos);
  EXPECT_EQ(Journal::open(disk_, clock_, "none", {.read_only = true}).error().code(),
            Code::source_failed);
  ASSERT_TRUE(disk_.make_folder("full"));
  disk_.put("full/letter", "x");
  EXPECT_EQ(Journal::open(disk_, clock_, "full", {}).error().code(), Code::sink_failed);
  EXPECT_EQ(disk_.content("full/letter"), "x");
  JournalRecord record;
  const std::string large(kBatchBytesMax, 'x');
  record.value = large;
  EXPECT_EQ(topic.log(0)->append(std::vector{record}).error().code(), Code::parameter_invalid);
}

/// On the machine's own disk.
class JournalOnDisk : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "millrace_journal_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ / "j"; }

  std::filesystem::path folder_;
  SimClock clock_;
};

TEST_F(JournalOnDisk, ManyProducersKeepTheirOwnOrder) {
  constexpr int kProducers = 8;
  constexpr int kAppends = 60;
  auto journal = Journal::open(real_disk(), clock_, path(), {.segment_bytes = 4096});
  ASSERT_TRUE(journal.has_value()) << journal.error().to_string();
  Topic& topic = **(*journal)->create_topic("t", {});
  std::vector<std::thread> producers;
  for (int producer = 0; producer < kProducers; ++producer) {
    producers.emplace_back([&topic, producer] {
      for (int turn = 0; turn < kAppends; ++turn) {
        const std::string text = fmt::format("{}", turn);
        const std::string key = fmt::format("{}", producer);
        JournalRecord record;
        record.key = key;
        record.value = text;
        EXPECT_TRUE(topic.log(0)->append(std::vector{record}).has_value());
      }
    });
  }
  LogReader reader(topic.view(0), 0);
  std::vector<int> next(kProducers, 0);
  JournalRecord record;
  for (int seen = 0; seen < kProducers * kAppends;) {
    const auto more = reader.next(record);
    ASSERT_TRUE(more.has_value()) << more.error().to_string();
    if (!*more) {
      std::this_thread::yield();
      continue;
    }
    ++seen;
    EXPECT_EQ(std::stoi(std::string(*record.value)),
              next[static_cast<std::size_t>(std::stoi(std::string(*record.key)))]++);
  }
  for (std::thread& producer : producers) producer.join();
  EXPECT_FALSE(*reader.next(record));
}

TEST_F(JournalOnDisk, TheLockGoesWithItsHolder) {
  auto journal = Journal::open(real_disk(), clock_, path(), {});
  ASSERT_TRUE(journal.has_value()) << journal.error().to_string();
  const Status refused = Journal::open(real_disk(), clock_, path(), {}).error();
  EXPECT_EQ(refused.code(), Code::sink_failed);
  EXPECT_NE(refused.message().find("another process writes there"), std::string::npos);
  ASSERT_TRUE((*journal)->create_topic("t", {.partitions = 3}).has_value());
  ASSERT_TRUE((*journal)->close());
  journal->reset();
  auto again = Journal::open(real_disk(), clock_, path(), {});
  ASSERT_TRUE(again.has_value()) << again.error().to_string();
  EXPECT_EQ((*(*again)->topic("t"))->partitions(), 3u);
}

}  // namespace
}  // namespace millrace::detail
