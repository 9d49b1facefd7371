// Dead letters on disk: what comes back, what a disk that fails costs, and what a kill leaves.
#include "runtime/dead_letter_journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "env/sim_env.hpp"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Heard final : public LogSink {
 public:
  void write(LogLevel, std::string_view event, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    // The journal tells what it has recovered from, too.
    if (!event.starts_with("dead-letters")) return;
    lines_.push_back(std::string(event) + " " + std::string(text));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;  // guarded by mutex_
};

class DeadLetterJournalTest : public testing::Test {
 protected:
  DeadLetterJournalTest() { env_.disk = &disk_, env_.clock = &clock_; }

  DeadLetterJournal make() {
    return DeadLetterJournal({.folder = "letters"}, "trending now", env_,
                             Log(&heard_, LogLevel::warn));
  }
  static KeptLetter letter(const std::string& record) {
    return KeptLetter({.component = "check", .reason = "it threw", .where = "", .record = record},
                      7);
  }
  /// Of another process, as far as it has been written.
  std::vector<KeptLetter> read() {
    std::vector<KeptLetter> letters;
    auto journal = Journal::open(disk_, clock_, "letters", {.read_only = true});
    EXPECT_TRUE(journal) << journal.error().to_string();
    const auto topic = (*journal)->topic("trending_now");
    EXPECT_TRUE(topic) << topic.error().to_string();
    LogReader reader((*topic)->view(0), 0);
    JournalRecord record;
    while (*reader.next(record)) letters.emplace_back(record);
    return letters;
  }
  std::vector<std::string> records() {
    std::vector<std::string> texts;
    for (const KeptLetter& kept : read()) texts.push_back(kept.record);
    return texts;
  }
  static void wait_until(const std::function<bool()>& holds) {
    while (!holds()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  SimDisk disk_{1};
  SimClock clock_;
  Env env_ = real_env();
  Heard heard_;
};

TEST_F(DeadLetterJournalTest, GivesBackAllThatIsKnown) {
  DeadLetterJournal journal = make();
  ASSERT_TRUE(journal.open());
  SetAside full;
  full.component = "check";
  full.task = 3;
  full.reason = "bad \"amount\"\n";
  full.where = "orders/2:17";
  full.record = "{\"amount\":1}";
  full.tries = 2;
  full.origin = {"orders", 2, 17};
  journal.add(KeptLetter(full, 42));
  SetAside bare;
  bare.component = "sums";
  bare.reason = "too large";
  bare.is_record = false;
  journal.add(KeptLetter(bare, 43));
  journal.close();
  const auto letters = read();
  ASSERT_EQ(letters.size(), 2u);
  EXPECT_EQ(letters[0].at, 42);
  EXPECT_EQ(letters[0].component, "check");
  EXPECT_EQ(letters[0].task, 3u);
  EXPECT_EQ(letters[0].reason, full.reason);
  EXPECT_EQ(letters[0].where, full.where);
  EXPECT_EQ(letters[0].record, full.record);
  EXPECT_EQ(letters[0].tries, 2);
  EXPECT_EQ(letters[0].origin.source, "orders");
  EXPECT_EQ(letters[0].origin.partition, 2u);
  EXPECT_EQ(letters[0].origin.position, 17u);
  EXPECT_TRUE(letters[0].is_record);
  EXPECT_FALSE(letters[0].is_cut());
  EXPECT_FALSE(letters[1].is_record);
  EXPECT_EQ(letters[1].where, "");
  EXPECT_EQ(letters[1].tries, 0);
  EXPECT_FALSE(letters[1].origin.partition);
  EXPECT_FALSE(letters[1].origin.position);
}

TEST_F(DeadLetterJournalTest, CutsWhatIsLongerThanAMebibyte) {
  DeadLetterJournal journal = make();
  ASSERT_TRUE(journal.open());
  journal.add(letter(std::string(KeptLetter::kRecordBytesMax, 'a')));
  journal.add(letter(std::string(KeptLetter::kRecordBytesMax + 1, 'b')));
  journal.close();
  const auto letters = read();
  ASSERT_EQ(letters.size(), 2u);
  EXPECT_FALSE(letters[0].is_cut());
  EXPECT_TRUE(letters[1].is_cut());
  EXPECT_EQ(letters[1].whole_bytes, KeptLetter::kRecordBytesMax + 1);
  EXPECT_EQ(letters[1].record.size(), KeptLetter::kRecordBytesMax);
}

TEST_F(DeadLetterJournalTest, WhatWasWrittenSurvivesAKill) {
  {
    DeadLetterJournal journal = make();
    ASSERT_TRUE(journal.open());
    journal.add(letter("one"));
    wait_until([&] { return journal.kept() == 1; });
    disk_.kill();
  }
  EXPECT_THAT(records(), ElementsAre("one"));
}

TEST_F(DeadLetterJournalTest, ADiskThatFailsCostsLettersAndSaysSo) {
  DeadLetterJournal journal = make();
  ASSERT_TRUE(journal.open());
  journal.add(letter("before"));
  wait_until([&] { return journal.kept() == 1; });
  disk_.set_faults({.fault = DiskFault::no_space, .at_call = 0, .sticky = true});
  journal.add(letter("lost"));
  wait_until([&] { return journal.lost() == 1; });
  journal.add(letter("lost too"));
  wait_until([&] { return journal.lost() == 2; });
  disk_.set_faults({});
  clock_.advance(std::chrono::seconds(6));
  journal.add(letter("after"));
  wait_until([&] { return journal.kept() == 2; });
  journal.close();
  EXPECT_THAT(records(), ElementsAre("before", "after"));
  EXPECT_EQ(journal.lost(), 2u);
  const auto lines = heard_.lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], HasSubstr("dead-letters-not-kept"));
  EXPECT_THAT(lines[1], HasSubstr("dead-letters-kept-again"));
  EXPECT_THAT(lines[1], HasSubstr("lost=2"));
}

TEST_F(DeadLetterJournalTest, KeepsAllOfManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kLetters = 20'000;
  DeadLetterJournal journal = make();
  ASSERT_TRUE(journal.open());
  std::vector<std::thread> threads;
  for (int at = 0; at < kThreads; ++at) {
    threads.emplace_back([&] {
      for (int number = 0; number < kLetters; ++number) journal.add(letter(std::string(500, 'x')));
    });
  }
  for (std::thread& thread : threads) thread.join();
  journal.close();
  EXPECT_EQ(journal.kept(), static_cast<std::uint64_t>(kThreads * kLetters));
  EXPECT_EQ(read().size(), static_cast<std::size_t>(kThreads * kLetters));
}

TEST(LetterTopic, IsANameThatTopicsMayHave) {
  EXPECT_EQ(letter_topic("orders-2.x_y"), "orders-2.x_y");
  EXPECT_EQ(letter_topic("my orders/π"), "my_orders___");
  EXPECT_EQ(letter_topic(""), "_");
  EXPECT_EQ(letter_topic(".x"), "_x");
  EXPECT_EQ(letter_topic("lock"), "_lock");
  EXPECT_EQ(letter_topic(std::string(300, 'a')).size(), 100u);
}

}  // namespace
}  // namespace millrace::detail
