// What another process decides about transactions, read from its log of them.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "env/disk.hpp"
#include "journal/log_reader.hpp"
#include "journal/partition_tail.hpp"
#include "journal/transaction_states.hpp"

namespace millrace::detail {

/// The folder of a journal's transactions, made with the first of them.
std::string transactions_folder(const std::string& journal_folder);
/// Whether the journal ever had a transaction.
bool has_transactions(Disk& disk, const std::string& journal_folder);

/// Takes all records of the log that `reader` has not read over into `states`. Errors: 4001; 4004
/// for damage.
Status read_transactions(LogReader& reader, const std::string& folder, TransactionStates& states);

/// Changes nothing on disk. Any thread.
class TransactionFollower final : public TransactionBook {
 public:
  /// `disk` outlives it.
  TransactionFollower(Disk& disk, std::string journal_folder, bool checked)
      : disk_(disk), journal_folder_(std::move(journal_folder)), checked_(checked) {}

  /// Cost: a look at the log when the transaction is not known to be decided.
  Result<TransactionFate> fate(TransactionNumber number) override;
  Result<std::vector<PreparedTransaction>> prepared() override;

 private:
  Status read_on();
  Status try_read_on();

  Disk& disk_;
  const std::string journal_folder_;
  const bool checked_;
  std::mutex mutex_;
  TransactionStates states_;  // guarded by mutex_, as all below
  std::unique_ptr<PartitionTail> tail_;
  std::unique_ptr<LogReader> reader_;
};

}  // namespace millrace::detail
