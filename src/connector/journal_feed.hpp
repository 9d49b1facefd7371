// JournalFeed: the records of a journal's topic, partition by partition, for a source to decode.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "operator/source.hpp"

namespace millrace::detail {

struct JournalInput {
  std::string folder;
  std::string topic;
  std::string from = "earliest";  ///< or latest, an offset, or a time as ISO 8601
  bool follow = true;             ///< false: ends where the topic ended at open()
  /// Where each partition ends, before that record: as `from`, but not earliest; empty: nowhere.
  std::string until = {};
  Time not_before = kTimeMin;  ///< records of earlier times are passed over
};

/// One record; its bytes live until the next call.
struct FedRecord {
  std::uint64_t offset = 0;
  Time time = 0;
  std::string_view value;  ///< empty of a record that has none
};

/// Task t of n has the partitions with index % n == t. One thread. Changes nothing in the journal,
/// so that another process, or this one, may append meanwhile.
class JournalFeed {
 public:
  virtual ~JournalFeed() = default;
  /// The range of the run goes before `from` and `until`. Errors: 2010 for one that is none; 4001,
  /// 4004.
  virtual Status open(const EndContext& context) = 0;
  virtual std::uint32_t partitions() const = 0;
  virtual std::string partition_name(std::uint32_t partition) const = 0;
  /// Of the partition whose turn it is.
  virtual std::uint32_t current() const = 0;
  /// All partitions have ended.
  virtual bool ended() const = 0;
  /// The next record of the current partition; false when there is none now. Errors: 4001, 4004.
  virtual Result<bool> next(FedRecord& out) = 0;
  /// Passes the turn on, and says what came of it.
  virtual Poll pass(bool gave) = 0;
  /// As those of Source. Retention may have taken what was to be read: 4001.
  virtual void save_positions(std::vector<SourcePosition>& to) const = 0;
  virtual Status resume(std::span<const SourcePosition> positions) = 0;
};

std::unique_ptr<JournalFeed> make_journal_feed(JournalInput input);

/// Whether JournalInput::from, and until, may be this.
bool journal_start_is_good(const std::string& from);
bool journal_end_is_good(const std::string& until);

}  // namespace millrace::detail
