// What is known of each transaction: the records of the transactions' log, and what they add up to.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace::detail {

/// Numbers a transaction of a journal, from 1; a number is used once, whatever crashes come.
using TransactionNumber = std::uint64_t;

enum class TransactionFate {
  undecided,  ///< open, prepared, or not known yet: its records are hidden
  committed,  ///< its records are there, in all partitions
  aborted,    ///< its records are passed over
};

/// A transaction whose records are durable and that waits to be committed or aborted by its number,
/// also after a restart.
struct PreparedTransaction {
  TransactionNumber number = 0;
  std::string producer;
  std::string label;     ///< what its producer called it, such as the epoch of a checkpoint
  Time prepared_at = 0;  ///< wall clock
};

/// The offset of each transaction's first record in a partition.
using FirstOffsets = std::map<TransactionNumber, std::uint64_t>;

/// Adds up records of the transactions' log, as docs/formats/journal.md says. The first decision
/// about a number counts. Cost: memory for what is undecided or was committed behind the oldest
/// undecided one, and 16 bytes for each run of aborted numbers.
class TransactionStates {
 public:
  TransactionFate fate(TransactionNumber number) const;
  const std::map<TransactionNumber, PreparedTransaction>& prepared() const { return prepared_; }
  /// All numbers that were ever given out are below.
  TransactionNumber reserved() const { return reserved_; }
  /// Whether there may be transactions that an ended process left open: they are aborted by
  /// numbers(reserved(), reserved()).
  bool has_abandoned() const;

  /// Takes over a record; false when it is none: then nothing is changed, or all is to be dropped.
  bool apply(std::string_view record);

  /// A process gives out the numbers from `from` below `below`; what is below `from`, undecided and
  /// not prepared, is aborted.
  static std::string numbers(TransactionNumber from, TransactionNumber below);
  static std::string prepared(const PreparedTransaction& transaction);
  static std::string committed(TransactionNumber number);
  static std::string aborted(TransactionNumber number);
  /// A record that stands for all before it.
  std::string snapshot() const;

 private:
  bool is_aborted(TransactionNumber number) const;
  void abort_range(TransactionNumber first, TransactionNumber end);
  void abort_abandoned(TransactionNumber below);
  void move_low();
  bool apply_snapshot(std::string_view bytes);

  TransactionNumber reserved_ = 1;
  TransactionNumber low_ = 1;                               // all below are decided
  std::set<TransactionNumber> committed_;                   // from low_ on
  std::map<TransactionNumber, TransactionNumber> aborted_;  // first to end of each run
  std::map<TransactionNumber, PreparedTransaction> prepared_;
};

/// What readers ask about transactions. Any thread.
class TransactionBook {
 public:
  virtual ~TransactionBook() = default;
  /// Errors: 4001, 4004.
  virtual Result<TransactionFate> fate(TransactionNumber number) = 0;
  /// By number. Errors: 4001, 4004.
  virtual Result<std::vector<PreparedTransaction>> prepared() = 0;
};

/// Drops those that are decided. Errors: as fate().
Status drop_decided(FirstOffsets& offsets, TransactionBook* book);

}  // namespace millrace::detail
