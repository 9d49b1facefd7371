// Following the log of transactions from outside its writer.
#include "journal/transaction_follower.hpp"

#include <fmt/format.h>

#include "journal/journal_file.hpp"

namespace millrace::detail {

std::string transactions_folder(const std::string& journal_folder) {
  return journal_folder + "/.transactions";
}

bool has_transactions(Disk& disk, const std::string& journal_folder) {
  return disk.exists(transactions_folder(journal_folder) + "/manifest");
}

Status read_transactions(LogReader& reader, const std::string& folder, TransactionStates& states) {
  for (JournalRecord record;;) {
    const auto more = reader.next(record);
    if (!more || !*more) return more.error();
    if (states.apply(record.value.value_or(""))) continue;
    return {
        Code::input_corrupt,
        fmt::format("\"{}\" is damaged: its record {} says nothing of a transaction; "
                    "`millrace journal verify` lists all damage: restore the folder from a copy",
                    folder, record.offset)};
  }
}

Result<TransactionFate> TransactionFollower::fate(TransactionNumber number) {
  const std::lock_guard lock(mutex_);
  const TransactionFate known = states_.fate(number);
  if (known != TransactionFate::undecided) return known;
  if (Status status = read_on(); !status) return status;
  return states_.fate(number);
}

Result<std::vector<PreparedTransaction>> TransactionFollower::prepared() {
  const std::lock_guard lock(mutex_);
  if (Status status = read_on(); !status) return status;
  std::vector<PreparedTransaction> found;
  for (const auto& [number, transaction] : states_.prepared()) found.push_back(transaction);
  return found;
}

/// Files may go between being listed and being opened: then it looks again.
Status TransactionFollower::read_on() {
  constexpr int kTries = 3;
  for (int left = kTries;; --left) {
    const Status status = try_read_on();
    if (left == 1 || status.code() != Code::source_failed) return status;
  }
}

Status TransactionFollower::try_read_on() {
  if (!tail_) {
    if (!has_transactions(disk_, journal_folder_)) return {};
    tail_ = std::make_unique<PartitionTail>(disk_, transactions_folder(journal_folder_), checked_);
  }
  if (reader_) {
    // What was not read may have gone meanwhile: then a snapshot stands for it.
    const auto shape = tail_->shape();
    if (!shape) return shape.error();
    if (reader_->offset() < shape->begin_offset()) reader_.reset();
  }
  if (!reader_) {
    const auto shape = tail_->shape();
    if (!shape) return shape.error();
    states_ = {};
    reader_ = std::make_unique<LogReader>(*tail_, shape->begin_offset());
  }
  return read_transactions(*reader_, tail_->folder(), states_);
}

}  // namespace millrace::detail
