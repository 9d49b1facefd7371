// The face of `journal`: the embedded durable log, a folder of topics with partitions.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "env/disk.hpp"
#include "env/env.hpp"
#include "journal/log_reader.hpp"
#include "journal/partition_log.hpp"
#include "journal/partition_view.hpp"
#include "journal/transactions.hpp"

namespace millrace::detail {

struct TopicOptions {
  std::uint32_t partitions = 1;  ///< 1 to 4,096
  JournalRetention retention = {};
};

/// A topic of an open journal. Any thread; lives as long as the journal.
class Topic {
 public:
  Topic(std::string name, TopicOptions options) : name_(std::move(name)), options_(options) {}

  const std::string& name() const { return name_; }
  const TopicOptions& options() const { return options_; }
  std::uint32_t partitions() const { return options_.partitions; }
  /// `partition` < partitions().
  PartitionView& view(std::uint32_t partition) { return *views_[partition]; }
  /// The same to append to; null in a journal that was opened to be read.
  PartitionLog* log(std::uint32_t partition) { return logs_.empty() ? nullptr : logs_[partition]; }
  /// The partition for a key: CRC32C of the key modulo partitions().
  std::uint32_t partition_of(std::string_view key) const;

 private:
  friend class Journal;
  std::string name_;
  TopicOptions options_;
  std::vector<std::unique_ptr<PartitionView>> views_;
  std::vector<PartitionLog*> logs_;
};

/// A journal in a folder, as docs/formats/journal.md says. Any thread.
///
/// One process writes: a second one is refused, and any number may read. Opening recovers from
/// whatever crash there was.
class Journal {
 public:
  /// Makes the folder when it is not there, unless to read only. `clock` and `disk` outlive it.
  /// Errors: 4001, 4002, also when another process has it open for writing; 4004 for damage; 2010
  /// for options out of range.
  static Result<std::unique_ptr<Journal>> open(Disk& disk, Clock& clock, std::string folder,
                                               JournalOptions options);

  /// Names of letters, digits, '.', '_' and '-', at most 100, the first no '.'. Errors: 2010; 4002,
  /// also when it exists.
  Result<Topic*> create_topic(const std::string& name, const TopicOptions& options);
  /// Errors: 4001 when there is none, with those that there are.
  Result<Topic*> topic(const std::string& name);
  /// In the order of their names.
  std::vector<Topic*> topics();

  /// Those that are prepared, and the decisions; null in a journal that was opened to be read.
  Transactions* transactions() { return transactions_; }
  /// What is known of transactions, in any journal.
  TransactionBook& transaction_book() { return *book_; }

  /// Background work, to be called now and then: retention, time-outs of transactions, and the sync
  /// of async mode. Errors: the first one; the rest is done nevertheless.
  Status step();
  /// Syncs and closes all; nothing is appended afterwards. Errors: as step().
  Status close();

  const std::string& folder() const { return folder_; }

 private:
  Journal(Disk& disk, Clock& clock, std::string folder, JournalOptions options)
      : disk_(disk), clock_(clock), folder_(std::move(folder)), options_(options) {}
  Status open_all();
  Status keep_names(const std::string& folder);
  Status take_lock();
  Status open_book();
  Status make_root();
  Status open_topic(const std::string& name);
  Status open_partitions(Topic& topic);

  Disk& disk_;
  Clock& clock_;
  std::string folder_;
  JournalOptions options_;
  std::unique_ptr<DiskLock> lock_;
  std::unique_ptr<TransactionBook> book_;  // before the topics, whose partitions ask it
  Transactions* transactions_ = nullptr;   // is book_, of a journal that is written
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Topic>> topics_;  // guarded by mutex_
};

/// What verify() found.
struct JournalVerdict {
  std::uint64_t files = 0;
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
  std::vector<Status> damage;  ///< each with file and offset
};

/// Reads every file of a journal, without changing one. A torn tail of an active segment, which the
/// next opening cuts, is no damage. Errors: 4001 when the folder is no journal.
Result<JournalVerdict> verify_journal(Disk& disk, Clock& clock, const std::string& folder);

}  // namespace millrace::detail
