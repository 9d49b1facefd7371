// Transactions of the journal: hidden until committed, prepared over restarts, fenced, timed out.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "env/sim_disk.hpp"
#include "env/sim_env.hpp"
#include "journal/journal.hpp"

namespace millrace::detail {
namespace {

using Texts = std::vector<std::string>;
using Place = std::pair<const char*, std::uint32_t>;

class TransactionsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(open());
    ASSERT_TRUE(journal_->create_topic("orders", {.partitions = 2}).has_value());
    ASSERT_TRUE(journal_->create_topic("payments", {}).has_value());
  }
  Status open(JournalOptions options = {.segment_bytes = 2048}) {
    journal_.reset();
    auto journal = Journal::open(disk_, clock_, "j", options);
    if (!journal) return journal.error();
    journal_ = std::move(*journal);
    return {};
  }
  /// Ends the process, or the machine, and opens again.
  void restart(bool with_power = false) {
    disk_.set_faults({DiskFault::power_cut, 0, false});
    left_.clear();
    journal_.reset();
    with_power ? disk_.lose_power() : disk_.kill();
    ASSERT_TRUE(open());
  }
  PartitionLog& log(const std::string& topic, std::uint32_t partition = 0) {
    return *(*journal_->topic(topic))->log(partition);
  }
  std::unique_ptr<TransactionalProducer> producer(const std::string& name = "shop") {
    auto made = journal_->transactions()->producer(name);
    EXPECT_TRUE(made.has_value()) << made.error().to_string();
    return std::move(*made);
  }
  /// A transaction that lives until the process ends.
  Transaction& begin(TransactionalProducer& by) {
    auto made = by.begin();
    EXPECT_TRUE(made.has_value()) << made.error().to_string();
    return left_.emplace_back(std::move(*made));
  }
  static Status put(Transaction& transaction, PartitionLog& log, const std::string& text) {
    JournalRecord record;
    record.value = text;
    return transaction.append(log, std::span(&record, 1)).error();
  }
  static void put(PartitionLog& log, const std::string& text) {
    JournalRecord record;
    record.value = text;
    ASSERT_TRUE(log.append(std::span(&record, 1)).has_value());
  }
  /// One record in each of three partitions.
  void put_everywhere(Transaction& transaction, const std::string& text) {
    ASSERT_TRUE(put(transaction, log("orders", 0), text));
    ASSERT_TRUE(put(transaction, log("orders", 1), text));
    ASSERT_TRUE(put(transaction, log("payments"), text));
  }
  static Texts take(LogReader& reader) {
    Texts found;
    JournalRecord record;
    for (;;) {
      const auto more = reader.next(record);
      EXPECT_TRUE(more.has_value()) << more.error().to_string();
      if (!more || !*more) return found;
      found.emplace_back(record.value.value_or("(none)"));
    }
  }
  /// What the writing process reads; what another one reads must be the same.
  Texts seen(const std::string& topic, std::uint32_t partition = 0,
             Isolation isolation = Isolation::read_committed) {
    auto outside = Journal::open(disk_, clock_, "j", {.read_only = true});
    EXPECT_TRUE(outside.has_value()) << outside.error().to_string();
    LogReader other((*(*outside)->topic(topic))->view(partition), 0, isolation);
    LogReader own((*journal_->topic(topic))->view(partition), 0, isolation);
    const Texts texts = take(own);
    EXPECT_EQ(take(other), texts);
    return texts;
  }
  std::uint64_t stable(const std::string& topic, std::uint32_t partition = 0) {
    auto outside = Journal::open(disk_, clock_, "j", {.read_only = true});
    const std::uint64_t other =
        (*(*outside)->topic(topic))->view(partition).shape()->stable_offset();
    const std::uint64_t own = (*journal_->topic(topic))->view(partition).shape()->stable_offset();
    EXPECT_EQ(other, own);
    return own;
  }

  SimDisk disk_{1};
  SimClock clock_;
  std::unique_ptr<Journal> journal_;
  std::deque<Transaction> left_;
};

TEST_F(TransactionsTest, RecordsAppearTogetherWhenItCommits) {
  auto shop = producer();
  Transaction& transaction = begin(*shop);
  put(log("orders"), "before");
  put_everywhere(transaction, "sale");
  put(log("orders"), "after");
  EXPECT_EQ(seen("orders"), Texts{"before"});
  EXPECT_TRUE(seen("payments").empty());
  EXPECT_EQ(stable("orders"), 1u);
  EXPECT_EQ((*journal_->topic("orders"))->view(0).shape()->end_offset(), 3u);
  EXPECT_EQ(seen("orders", 0, Isolation::read_uncommitted), (Texts{"before", "sale", "after"}));
  LogReader waiting((*journal_->topic("orders"))->view(0), 0);
  EXPECT_EQ(take(waiting), Texts{"before"});
  LogReader beyond((*journal_->topic("orders"))->view(0), 2);  // what it reads is decided
  EXPECT_EQ(take(beyond), Texts{"after"});
  ASSERT_TRUE(transaction.commit());
  EXPECT_EQ(take(waiting), (Texts{"sale", "after"}));
  EXPECT_EQ(seen("orders"), (Texts{"before", "sale", "after"}));
  EXPECT_EQ(seen("orders", 1), Texts{"sale"});
  EXPECT_EQ(seen("payments"), Texts{"sale"});
  EXPECT_EQ(stable("orders"), 3u);
  restart(true);
  EXPECT_EQ(seen("orders"), (Texts{"before", "sale", "after"}));
  EXPECT_EQ(seen("payments"), Texts{"sale"});
}

TEST_F(TransactionsTest, AnAbortedOneIsPassedOver) {
  auto shop = producer();
  {
    Transaction explicitly = std::move(*shop->begin());
    put_everywhere(explicitly, "one");
    ASSERT_TRUE(explicitly.roll_back());
    EXPECT_FALSE(explicitly.commit());
    Transaction dropped = std::move(*shop->begin());
    put_everywhere(dropped, "two");
  }
  put(log("orders"), "three");
  EXPECT_EQ(seen("orders"), Texts{"three"});
  EXPECT_EQ(stable("orders"), 3u);
  ASSERT_TRUE(log("payments").sync());
  LogReader reader((*journal_->topic("payments"))->view(0), 0);
  EXPECT_TRUE(take(reader).empty());
  EXPECT_EQ(reader.offset(), 2u);  // it is at the end all the same
  put_everywhere(begin(*shop), "four");
  restart();
  EXPECT_EQ(seen("orders"), Texts{"three"});
  EXPECT_GE(stable("orders"), 3u);
  EXPECT_EQ(stable("orders"), (*journal_->topic("orders"))->view(0).shape()->end_offset());
}

TEST_F(TransactionsTest, APreparedOneWaitsOverRestarts) {
  std::vector<TransactionNumber> numbers;
  {
    auto shop = producer();
    for (const char* label : {"epoch 7", "epoch 8", "epoch 9"}) {
      Transaction transaction = std::move(*shop->begin());
      put_everywhere(transaction, label);
      ASSERT_TRUE(transaction.prepare(label));
      EXPECT_FALSE(put(transaction, log("orders"), "more"));
      numbers.push_back(transaction.number());
    }
  }
  for (int turn = 0; turn < 60; ++turn) put(log("orders"), std::string(100, 'x'));  // segments on
  for (const bool with_power : {false, true}) {
    restart(with_power);
    const auto prepared = *journal_->transactions()->prepared();
    ASSERT_EQ(prepared.size(), 3u);
    EXPECT_EQ(prepared[0].producer, "shop");
    EXPECT_EQ(prepared[0].label, "epoch 7");
    EXPECT_EQ(prepared[0].number, numbers[0]);
    EXPECT_TRUE(seen("payments").empty());
    EXPECT_EQ(stable("orders"), 0u);
  }
  Transactions* transactions = journal_->transactions();
  ASSERT_TRUE(transactions->commit(std::vector{numbers[0], numbers[1]}));
  EXPECT_EQ(seen("payments"), (Texts{"epoch 7", "epoch 8"}));
  ASSERT_TRUE(transactions->roll_back(std::vector{numbers[2]}));
  restart(true);
  transactions = journal_->transactions();
  EXPECT_EQ(seen("payments"), (Texts{"epoch 7", "epoch 8"}));
  EXPECT_EQ(seen("orders").size(), 62u);
  EXPECT_TRUE(transactions->prepared()->empty());
  EXPECT_TRUE(transactions->commit(std::vector{numbers[1], numbers[0]}));  // it may be repeated
  EXPECT_EQ(transactions->commit(std::vector{numbers[2]}).code(), Code::sink_failed);
  EXPECT_EQ(transactions->roll_back(std::vector{numbers[0]}).code(), Code::sink_failed);
  EXPECT_EQ(transactions->commit(std::vector<TransactionNumber>{99999}).code(),
            Code::parameter_invalid);
}

TEST_F(TransactionsTest, ANewerProducerFencesTheOlder) {
  auto zombie = producer();
  auto other = producer("other");
  Transaction open = std::move(*zombie->begin());
  Transaction prepared = std::move(*zombie->begin());
  Transaction others = std::move(*other->begin());
  put_everywhere(open, "zombie");
  put_everywhere(prepared, "zombie prepared");
  put_everywhere(others, "other");
  ASSERT_TRUE(prepared.prepare());
  auto newer = producer();
  for (const Status& refused : {put(open, log("orders"), "late"), open.commit(), open.prepare(),
                                prepared.commit(), zombie->begin().error()}) {
    EXPECT_EQ(refused.code(), Code::sink_failed);
    EXPECT_NE(refused.message().find("newer"), std::string::npos) << refused.message();
  }
  ASSERT_TRUE(others.commit());
  EXPECT_TRUE(seen("payments").empty());  // behind the prepared one, which the newer one decides
  ASSERT_TRUE(journal_->transactions()->roll_back(std::vector{prepared.number()}));
  EXPECT_EQ(seen("payments"), Texts{"other"});
  Transaction next = std::move(*newer->begin());
  put_everywhere(next, "newer");
  ASSERT_TRUE(next.commit());
  EXPECT_EQ(seen("payments"), (Texts{"other", "newer"}));
}

TEST_F(TransactionsTest, AnAbandonedOneTimesOut) {
  auto shop = producer();
  Transaction abandoned = std::move(*shop->begin());
  Transaction prepared = std::move(*shop->begin());
  put_everywhere(abandoned, "abandoned");
  put_everywhere(prepared, "prepared");
  ASSERT_TRUE(prepared.prepare());
  put(log("payments"), "after");
  clock_.advance(14min);
  Transaction young = std::move(*shop->begin());
  ASSERT_TRUE(journal_->step());
  EXPECT_TRUE(put(abandoned, log("orders"), "in time"));
  clock_.advance(2min);
  ASSERT_TRUE(journal_->step());
  const Status late = abandoned.commit();
  EXPECT_EQ(late.code(), Code::sink_failed);
  EXPECT_NE(late.message().find("open for longer"), std::string::npos) << late.message();
  ASSERT_TRUE(prepared.commit());  // it waits for ever
  ASSERT_TRUE(young.commit());
  EXPECT_EQ(seen("payments"), (Texts{"prepared", "after"}));
}

TEST_F(TransactionsTest, WhatCouldNotBeWrittenIsNotCommitted) {
  auto shop = producer();
  Transaction& broken = begin(*shop);
  put_everywhere(broken, "broken");
  disk_.set_faults({DiskFault::io_error, 0, false});
  EXPECT_FALSE(put(broken, log("orders"), "not there"));
  EXPECT_FALSE(broken.commit());
  ASSERT_TRUE(log("payments").sync());
  EXPECT_TRUE(seen("payments").empty());
  EXPECT_EQ(stable("payments"), 1u);  // aborted: nobody waits for it
  restart();
  Transaction& again = begin(*producer());
  put_everywhere(again, "again");
  disk_.set_faults({DiskFault::io_error, 0, false});  // the sync of a partition
  EXPECT_FALSE(again.commit());
  restart();
  EXPECT_TRUE(seen("payments").empty());
  EXPECT_EQ(seen("orders", 1), Texts{});
  JournalRecord record;
  auto elsewhere = Journal::open(disk_, clock_, "k", {});
  ASSERT_TRUE((*elsewhere)->create_topic("t", {}).has_value());
  Transaction& here = begin(*producer());
  EXPECT_EQ(here.append(*(*(*elsewhere)->topic("t"))->log(0), std::span(&record, 1)).error().code(),
            Code::parameter_invalid);
  EXPECT_EQ(journal_->transactions()->producer("").error().code(), Code::parameter_invalid);
}

TEST_F(TransactionsTest, RetentionWaitsForADecision) {
  ASSERT_TRUE(open({.segment_bytes = 1024}));
  ASSERT_TRUE(journal_->create_topic("kept", {.retention = {.bytes = 3000}}).has_value());
  Transaction& waiting = begin(*producer());
  ASSERT_TRUE(put(waiting, log("kept"), "waiting"));
  ASSERT_TRUE(waiting.prepare());
  for (int turn = 0; turn < 50; ++turn) put(log("kept"), std::string(100, 'x'));
  ASSERT_TRUE(journal_->step());
  EXPECT_EQ((*journal_->topic("kept"))->view(0).shape()->begin_offset(), 0u);
  ASSERT_TRUE(waiting.commit());
  EXPECT_EQ(seen("kept").front(), "waiting");
  ASSERT_TRUE(journal_->step());
  EXPECT_LE((*journal_->topic("kept"))->view(0).shape()->bytes(), 3000u);
}

TEST_F(TransactionsTest, TheLogOfThemStaysShort) {
  ASSERT_TRUE(open({.segment_bytes = 1024}));
  auto outside = Journal::open(disk_, clock_, "j", {.read_only = true});
  LogReader tail((*(*outside)->topic("payments"))->view(0), 0);
  Transaction& first = begin(*producer("first"));
  ASSERT_TRUE(put(first, log("orders"), "first"));
  ASSERT_TRUE(first.prepare("kept"));
  Texts committed;
  Texts tailed;
  auto shop = producer();
  std::size_t files = 0;
  for (int turn = 0; turn < 300; ++turn) {
    Transaction transaction = std::move(*shop->begin());
    ASSERT_TRUE(put(transaction, log("payments"), fmt::format("{}", turn)));
    ASSERT_TRUE(turn % 3 == 0 ? transaction.roll_back() : transaction.commit());
    if (turn % 3 != 0) committed.push_back(fmt::format("{}", turn));
    if (turn % 50 == 0) {  // what it did not follow meanwhile, a snapshot tells
      const Texts more = take(tail);
      tailed.insert(tailed.end(), more.begin(), more.end());
    }
    ASSERT_TRUE(journal_->step());
    const auto paths = disk_.paths();
    files = std::max<std::size_t>(
        files, static_cast<std::size_t>(
                   std::count_if(paths.begin(), paths.end(), [](const std::string& path) {
                     return path.starts_with("j/.transactions/") && path.ends_with(".log");
                   })));
  }
  EXPECT_LT(files, 14u);
  const Texts rest = take(tail);
  tailed.insert(tailed.end(), rest.begin(), rest.end());
  EXPECT_EQ(tailed, committed);
  EXPECT_EQ(seen("payments"), committed);
  restart(true);
  EXPECT_EQ(seen("payments"), committed);
  EXPECT_EQ(stable("orders"), 0u);
  ASSERT_EQ(journal_->transactions()->prepared()->size(), 1u);
  EXPECT_EQ(journal_->transactions()->prepared()->front().label, "kept");
}

TEST_F(TransactionsTest, ManyProducersCommitSideBySide) {
  constexpr int kProducers = 4;
  constexpr int kTurns = 40;
  std::vector<std::thread> threads;
  for (int at = 0; at < kProducers; ++at) {
    threads.emplace_back([this, at] {
      auto own = producer(fmt::format("p{}", at));
      for (int turn = 0; turn < kTurns; ++turn) {
        auto transaction = own->begin();
        ASSERT_TRUE(transaction.has_value()) << transaction.error().to_string();
        put_everywhere(*transaction, fmt::format("{}-{}", at, turn));
        if (turn % 4 == 3) continue;  // dropped
        if (turn % 4 == 2) {
          ASSERT_TRUE(transaction->prepare());
        }
        ASSERT_TRUE(transaction->commit());
      }
    });
  }
  for (int turn = 0; turn < 200; ++turn) EXPECT_TRUE(journal_->step());
  for (std::thread& thread : threads) thread.join();
  for (const bool again : {false, true}) {
    if (again) restart(true);
    for (const auto& [topic, partition] :
         {Place("orders", 0), Place("orders", 1), Place("payments", 0)}) {
      Texts texts = seen(topic, partition);
      EXPECT_EQ(texts.size(), kProducers * kTurns * 3u / 4);
      for (int at = 0; at < kProducers; ++at) {
        int last = -1;
        for (const std::string& text : texts) {
          if (!text.starts_with(fmt::format("{}-", at))) continue;
          const int turn = std::stoi(text.substr(2));
          EXPECT_GT(turn, last);
          last = turn;
        }
      }
    }
  }
}

}  // namespace
}  // namespace millrace::detail
