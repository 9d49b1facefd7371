// Transactions of a journal that is written: who has one open, what is decided, time-outs.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.hpp"
#include "env/env.hpp"
#include "journal/partition_log.hpp"
#include "journal/transaction_states.hpp"

namespace millrace::detail {

class Transactions;

/// A transaction between its begin and its decision; of the process that writes.
struct OpenTransaction {
  enum class Phase {
    open,
    deciding,  ///< prepare or commit is at it: nobody else may decide
    prepared,
    over,
  };
  TransactionNumber number = 0;
  std::string producer;
  std::uint64_t epoch = 0;    ///< of the producer
  std::int64_t begun_ns = 0;  ///< steady clock
  Phase phase = Phase::open;
  Status ended = {};  ///< why it takes nothing more
};

/// Records for any partitions of a journal that become visible together, or not at all. One thread.
/// Dropped undecided and not prepared, it is aborted. The journal outlives it.
class Transaction {
 public:
  Transaction(Transaction&&) noexcept = default;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  /// By which Transactions::commit() finds it when it was prepared.
  TransactionNumber number() const { return state_->number; }

  /// Appends to a partition, hidden. Errors: as PartitionLog::append(); 2010 for a partition of
  /// another journal; 4002 when it was aborted by a time-out or a newer producer. After an error it
  /// can only be aborted.
  Result<Appended> append(PartitionLog& log, std::span<const JournalRecord> records);
  /// On return it survives a crash, still hidden, until it is committed or aborted: by this object,
  /// or by its number. No time-out aborts it any more. `label` is for whoever finds it then.
  /// Errors: 4002; then it is aborted.
  Status prepare(std::string label = {});
  /// On return its records are durable and visible, in all partitions; also in async mode. Errors:
  /// 4002; then it is aborted, or, as the message says, decided by what the device has when the
  /// journal is opened again.
  Status commit();
  /// Aborts it: its records will never be visible. Errors: 4002; then opening the journal again
  /// aborts it, unless it was prepared.
  Status roll_back();

 private:
  friend class TransactionalProducer;
  Transaction(Transactions& owner, std::shared_ptr<OpenTransaction> state)
      : owner_(&owner), state_(std::move(state)) {}
  Status sync_all();

  Transactions* owner_;
  std::shared_ptr<OpenTransaction> state_;  // null: moved from
  std::set<PartitionLog*> touched_;
  Status broken_;  // of the first append that failed
};

/// Begins transactions under a name. A newer producer of the same name fences it: what it has open
/// is aborted, and it can begin, prepare and commit nothing more. Any thread; the journal outlives
/// it.
class TransactionalProducer {
 public:
  /// Errors: 4002, also when it is fenced.
  Result<Transaction> begin();
  const std::string& name() const { return name_; }

 private:
  friend class Transactions;
  TransactionalProducer(Transactions& owner, std::string name, std::uint64_t epoch)
      : owner_(owner), name_(std::move(name)), epoch_(epoch) {}

  Transactions& owner_;
  std::string name_;
  std::uint64_t epoch_;
};

/// Decides transactions by records of a log of its own, DIR/.transactions, which is a partition
/// like others: one durable record decides for all partitions at once. Any thread.
class Transactions final : public TransactionBook {
 public:
  /// Aborts what an ended process left open; prepared ones stay. `disk` and `clock` outlive it.
  /// Errors: 4001, 4002, 4004.
  static Result<std::unique_ptr<Transactions>> open(Disk& disk, Clock& clock,
                                                    std::string journal_folder,
                                                    const JournalOptions& options);

  /// Waits for a decision that an older producer of that name is at. Errors: 2010 for a name that
  /// is empty or longer than 200 bytes; 4002.
  Result<std::unique_ptr<TransactionalProducer>> producer(std::string name);
  /// Commits prepared transactions, all or none of them; those that are committed already may be
  /// among them, so it can be repeated. Errors: 2010 for one that is not prepared, 4002 for one
  /// that was aborted.
  Status commit(std::span<const TransactionNumber> numbers);
  /// Aborts prepared transactions; the same the other way round.
  Status roll_back(std::span<const TransactionNumber> numbers);

  Result<TransactionFate> fate(TransactionNumber number) override;
  Result<std::vector<PreparedTransaction>> prepared() override;

  /// Aborts those that were open for too long, and shortens the log. Errors: 4002.
  Status step();
  /// Errors: 4002.
  Status close();

 private:
  friend class Transaction;
  friend class TransactionalProducer;
  using Phase = OpenTransaction::Phase;
  using Entries = std::vector<std::string>;
  using StatePtr = std::shared_ptr<OpenTransaction>;

  Transactions(Disk& disk, Clock& clock, std::string journal_folder, const JournalOptions& options)
      : disk_(disk), clock_(clock), journal_folder_(std::move(journal_folder)), options_(options) {}
  Status open_log();
  Status make_log();
  Status reserve();
  Result<StatePtr> begin(const std::string& name, std::uint64_t epoch);
  Status check_open(const OpenTransaction& state);
  Result<Phase> enter(const StatePtr& state);
  Status leave(OpenTransaction& state, Phase phase, Status outcome);
  Status give_up(OpenTransaction& state, const Status& why);
  Status settle_prepared(OpenTransaction& state, TransactionFate wanted);
  Status end_all(std::unique_lock<std::mutex>& lock, const std::vector<StatePtr>& ended,
                 std::string_view why);
  Status settle(std::span<const TransactionNumber> numbers, TransactionFate wanted);
  Status write(const Entries& entries);
  Status append(const Entries& entries);
  Status shorten();

  Disk& disk_;
  Clock& clock_;
  const std::string journal_folder_;
  const JournalOptions options_;
  std::mutex settling_;  // one decision by number at a time; taken before mutex_
  std::mutex mutex_;
  std::condition_variable decided_;
  std::unique_ptr<PartitionLog> log_;  // guarded by mutex_, as all below; null before the first
  TransactionStates states_;
  std::map<TransactionNumber, StatePtr> open_;   // open or deciding
  std::map<std::string, std::uint64_t> epochs_;  // of the newest producer of each name
  std::uint64_t producers_made_ = 0;
  std::uint64_t writing_ = 0;      // threads whose records are on their way to the log
  TransactionNumber first_ = 0;    // that this process gave out; 0: none yet
  TransactionNumber next_ = 0;     // to be given out
  std::uint64_t short_bytes_ = 0;  // of the log when it was shortened last
};

}  // namespace millrace::detail
