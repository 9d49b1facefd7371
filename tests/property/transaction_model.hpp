// Transactions over a journal on a simulated disk, doing what a seed chooses.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "env/random.hpp"
#include "env/sim_disk.hpp"
#include "env/sim_env.hpp"
#include "journal/journal.hpp"
#include "transaction_truth.hpp"

namespace millrace::detail {

/// A journal on a simulated disk, with the topics "a" (two partitions) and "b".
class JournalStand {
 public:
  JournalStand(std::uint64_t seed, JournalOptions options)
      : disk(seed), options_(std::move(options)) {}

  Status open() {
    auto journal = Journal::open(disk, clock_, "j", options_);
    if (!journal) return journal.error();
    for (const auto& [name, partitions] : {std::pair("a", 2u), std::pair("b", 1u)}) {
      if ((*journal)->topic(name)) continue;
      if (const auto made = (*journal)->create_topic(name, {.partitions = partitions}); !made)
        return made.error();
    }
    journal_ = std::move(*journal);
    return {};
  }
  void close() {
    (void)journal_->close();
    journal_.reset();
  }
  /// Ends the process or the machine; before, the disk must have been stopped.
  void end(bool with_power) {
    journal_.reset();
    with_power ? disk.lose_power() : disk.kill();
  }
  Journal& operator*() { return *journal_; }
  Journal* operator->() { return journal_.get(); }
  Result<std::unique_ptr<Journal>> outside() {
    return Journal::open(disk, clock_, "j", {.read_only = true});
  }
  Result<JournalVerdict> verify() { return verify_journal(disk, clock_, "j"); }

  SimDisk disk;

 private:
  SimClock clock_;
  JournalOptions options_;
  std::unique_ptr<Journal> journal_;
};

/// Acts on such a journal. Every record has a text of its own; a transaction writes into any of the
/// three partitions.
class TransactionModel {
 public:
  explicit TransactionModel(std::uint64_t seed, JournalOptions options = {.segment_bytes = 2048})
      : random(seed ^ 0x7472616e73ull),
        truth(options.mode == JournalMode::sync),
        journal_(seed, std::move(options)) {}

  SimDisk& disk() { return journal_.disk; }
  Status open() { return journal_.open(); }

  /// Does one thing that the seed chooses; false when the disk failed it.
  bool act() {
    const std::uint64_t what = random.below(10);
    if (what < 2) return append_alone();
    if (what < 4 || running_.empty()) return begin();
    if (what < 7) return append_to(pick());
    if (what == 7) return decide(pick(), random.chance(0.7));
    if (what == 8) return prepare(pick());
    return random.chance(0.2) ? journal_->step().ok() : settle_one();
  }

  /// Ends the process or the machine. The transactions' objects can do nothing any more.
  void end(bool with_power) {
    disk().set_faults({DiskFault::power_cut, 0, false});
    running_.clear();
    producer_.reset();
    journal_.end(with_power);
  }
  void close() {
    running_.clear();
    producer_.reset();
    journal_.close();
  }

  /// Opens without faults and compares what is read with what was said; "" when all is right.
  std::string check() {
    if (const Status status = open(); !status) return "cannot-open: " + status.to_string();
    if (std::string wrong = compare(); !wrong.empty()) return wrong;
    const auto verdict = journal_.verify();
    if (!verdict) return "verify-fails: " + verdict.error().to_string();
    if (!verdict->damage.empty())
      return "verify-finds-damage: " + verdict->damage.front().to_string();
    return "";
  }
  /// Decides all that are prepared, and compares again.
  std::string check_settled() {
    const auto prepared = *journal_->transactions()->prepared();
    prepared_seen_ += prepared.size();
    for (const PreparedTransaction& transaction : prepared) {
      const bool commits = random.chance(0.6);
      const TransactionNumber numbers[] = {transaction.number};
      const Status status = commits ? journal_->transactions()->commit(numbers)
                                    : journal_->transactions()->roll_back(numbers);
      if (!status) return "cannot-settle: " + status.to_string();
      truth.may(transaction.number) = commits ? TransactionEnd::kAll : TransactionEnd::kNone;
    }
    return compare();
  }
  std::size_t prepared_seen() const { return prepared_seen_; }

  Random random;
  TransactionTruth truth;

 private:
  PartitionLog& log(std::size_t place) {
    return static_cast<PartitionLog&>(TransactionTruth::view(*journal_, place));
  }
  std::size_t pick() { return random.below(running_.size()); }
  std::string text() { return fmt::format("{}-{}", ++made_, std::string(random.below(120), 'x')); }

  bool begin() {
    if (!producer_ || random.chance(0.02)) {  // a newer one fences the older
      auto made = journal_->transactions()->producer("p");
      running_.clear();
      if (!made) return false;
      producer_ = std::move(*made);
    }
    auto begun = producer_->begin();
    if (!begun) return false;
    truth.may(begun->number()) = TransactionEnd::kNone;
    running_.push_back(std::move(*begun));
    return true;
  }
  bool append_alone() {
    const std::size_t place = random.below(TransactionTruth::kPlaces);
    const std::string value = text();
    JournalRecord record;
    record.value = value;
    const bool done = log(place).append(std::span(&record, 1)).has_value();
    truth.note_alone(place, value, done);
    return done;
  }
  bool append_to(std::size_t at) {
    const std::size_t place = random.below(TransactionTruth::kPlaces);
    const std::string value = text();
    JournalRecord record;
    record.value = value;
    const bool done = running_[at].append(log(place), std::span(&record, 1)).has_value();
    truth.note_in(running_[at].number(), place, value, done);
    return true;  // it may be prepared already; and of one that is broken, commit() must fail
  }
  bool decide(std::size_t at, bool commits) {
    unsigned& may = truth.may(running_[at].number());
    const Status status = commits ? running_[at].commit() : running_[at].roll_back();
    may = (commits ? TransactionEnd::kAll : TransactionEnd::kNone) | (status ? 0 : may);
    drop(at);
    return status.ok();
  }
  bool prepare(std::size_t at) {
    const TransactionNumber number = running_[at].number();
    unsigned& may = truth.may(number);
    const Status status = running_[at].prepare(fmt::format("label {}", number));
    may = TransactionEnd::kPrepared | (status ? 0 : may);
    if (!status || random.chance(0.5)) drop(at);
    return status.ok();
  }
  /// Commits a prepared one by its number, when no object of it is left.
  bool settle_one() {
    const auto prepared = *journal_->transactions()->prepared();
    if (prepared.empty()) return true;
    const TransactionNumber numbers[] = {prepared[random.below(prepared.size())].number};
    for (const Transaction& own : running_)
      if (own.number() == numbers[0]) return true;
    unsigned& may = truth.may(numbers[0]);
    const Status status = journal_->transactions()->commit(numbers);
    may = TransactionEnd::kAll | (status ? 0 : may);
    return status.ok();
  }
  void drop(std::size_t at) {
    std::deque<Transaction> kept;
    for (std::size_t other = 0; other < running_.size(); ++other)
      if (other != at) kept.push_back(std::move(running_[other]));
    running_.swap(kept);
  }

  std::string compare() {
    const auto outside = journal_.outside();
    if (!outside) return "cannot-look: " + outside.error().to_string();
    return truth.compare(*journal_, **outside);
  }

  JournalStand journal_;
  std::unique_ptr<TransactionalProducer> producer_;
  std::deque<Transaction> running_;
  std::uint64_t made_ = 0;
  std::size_t prepared_seen_ = 0;
};

}  // namespace millrace::detail
