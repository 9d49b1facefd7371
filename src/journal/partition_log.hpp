// A partition that is written: its active segment, group commit, rolling and retention.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "base/log.hpp"
#include "base/status.hpp"
#include "base/time.hpp"
#include "env/env.hpp"
#include "journal/journal_batch.hpp"
#include "journal/partition_view.hpp"

namespace millrace::detail {

/// When an append returns.
enum class JournalMode {
  sync,   ///< the records are on the device: they survive a loss of power
  async,  ///< the system has them: they survive the end of the process only, until the next sync
};

struct JournalOptions {
  JournalMode mode = JournalMode::sync;
  std::uint64_t segment_bytes = 64u << 20;  ///< a segment takes no batch beyond; at least 1 KiB
  Duration transaction_time_max = std::chrono::minutes(15);  ///< open longer: aborted
  bool read_only = false;    ///< no lock, no recovery: sees what another process writes
  bool no_sync = false;      ///< unsafe, for tests of the tests: nothing is synced
  bool no_checksum = false;  ///< unsafe, for tests of the tests: damage is not looked for
  bool no_dedup = false;     ///< unsafe, for tests of the tests: a repeated append is stored again
  bool no_fence = false;     ///< unsafe, for tests of the tests: two processes may write at once
  Log log = {};
};

/// Who appends, for idempotence: an append that is repeated is stored once.
struct ProducerStamp {
  std::uint64_t id = 0;        ///< 0: nobody, each append is stored
  std::uint64_t sequence = 0;  ///< of the first record; the producer counts its records from 0
};

struct Appended {
  std::uint64_t offset = 0;  ///< of the first record
  bool duplicate = false;    ///< it was stored before, at this offset
};

/// How long sealed segments are kept; the active one always is.
struct JournalRetention {
  Duration time = {};       ///< since the segment was sealed; 0: for ever
  std::uint64_t bytes = 0;  ///< the oldest segments beyond go; 0: no bound
};

/// Any thread. Group commit after LevelDB: of the threads that append, one writes and syncs for all
/// that came while the one before it was at it.
///
/// After a write or sync that failed, nothing more is taken: what the device holds is not known
/// (after a failed sync the system takes the lost pages for clean). Opening again finds out.
class PartitionLog final : public PartitionView {
 public:
  /// Makes an empty partition in `folder`, which exists. Errors: 4001, 4002.
  static Status create(Disk& disk, const std::string& folder);
  /// Recovers what is there: a torn tail is cut, with a line to the log. Errors: 4001, 4002; 4004
  /// for damage that is no torn tail.
  static Result<std::unique_ptr<PartitionLog>> open(Disk& disk, Clock& clock, std::string folder,
                                                    const JournalOptions& options,
                                                    TransactionBook* book = nullptr);
  ~PartitionLog() override;

  /// Appends records, together and in order. Errors: 2010 for records that cannot be, and for a
  /// sequence that skips or that is too old; 4002.
  Result<Appended> append(std::span<const JournalRecord> records, ProducerStamp stamp = {});
  /// The sequence at which the producer `id` goes on: 0 when nothing is known of it.
  std::uint64_t next_sequence(std::uint64_t id);
  /// Appends records that are hidden until the transaction commits; for Transaction, which see. On
  /// return they are written, and durable after sync(). Errors: 2010, 4002.
  Result<Appended> append_hidden(std::span<const JournalRecord> records, TransactionNumber number);
  /// Makes all that is acknowledged durable, also in async mode. Errors: 4002.
  Status sync();
  /// Removes sealed segments that need not be kept; none from the first on that has records of a
  /// transaction that is undecided. Errors: 4002.
  Status retain(const JournalRetention& retention);
  /// Removes sealed segments all of whose records are before `offset`. Errors: 4002.
  Status remove_before(std::uint64_t offset);
  /// Syncs, and notes how far the log goes, so that the loss of its end is seen. Errors: 4002.
  Status close();

  Result<PartitionShape> shape() override;
  SegmentIndex active_index() override;

 private:
  PartitionLog(Disk& disk, Clock& clock, std::string folder, const JournalOptions& options,
               TransactionBook* book);

  using Lock = std::unique_lock<std::mutex>;
  using SegmentAt = std::vector<Segment>::const_iterator;
  /// Whose a batch is: nobody's, a producer's or a transaction's.
  struct Owner {
    ProducerStamp stamp;
    bool in_transaction = false;
  };
  Result<Appended> append_for(std::span<const JournalRecord> records, const Owner& owner);
  std::string take_spare();
  Result<std::optional<Appended>> known_before(const Owner& owner, std::size_t records) const;
  std::uint64_t place(std::string& batch, std::uint32_t records_crc, const Owner& owner);
  void note_owner(const BatchHead& head);
  Status wait_for(Lock& lock, const std::uint64_t& reached, std::uint64_t end_offset, bool to_sync);
  Status commit(Lock& lock, std::uint64_t end_offset);
  void lead(Lock& lock, bool to_sync);
  Status sync_now(Lock& lock);
  bool must_roll(std::size_t batch_bytes) const;
  Status roll(Lock& lock);
  Status switch_segment();
  Status fail(const Status& status);
  Status sync_file(DiskFile& file);
  void keep_index(std::uint64_t base_offset);
  void publish_sealed();
  Status drop_before(SegmentAt first);
  std::uint64_t acked_bytes() const;

  Clock& clock_;
  const JournalOptions options_;
  std::mutex mutex_;
  std::condition_variable done_;
  Manifest manifest_;  // guarded by mutex_, as all below
  Producers producers_;
  FirstOffsets undecided_;
  std::shared_ptr<const std::vector<Segment>> sealed_;
  std::unique_ptr<DiskFile> file_;
  SegmentIndex index_;
  std::string pending_;            // placed, not yet written
  std::string writing_;            // the leader's
  std::string spare_;              // empty, with room
  std::uint64_t next_offset_ = 0;  // behind what is placed
  std::uint64_t written_end_ = 0;  // behind what is written
  std::uint64_t acked_end_ = 0;    // behind what is acknowledged: written, and synced in sync mode
  std::uint64_t placed_bytes_ = 0;
  std::uint64_t written_bytes_ = 0;
  std::uint64_t durable_bytes_ = 0;
  bool leading_ = false;
  bool closed_ = true;  // until it is open
  Status health_;       // why nothing more is taken
};

}  // namespace millrace::detail
