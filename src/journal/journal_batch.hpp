// A batch of the journal: records that were appended together, as bytes with a checksum.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace::detail {

struct JournalHeader {
  std::string_view name;
  std::string_view value;
};

/// One record. To be appended it borrows its bytes; read, they live as long as the reader says.
struct JournalRecord {
  std::uint64_t offset = 0;  ///< given by the journal
  Time time = 0;             ///< event time
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::vector<JournalHeader> headers;
};

inline constexpr std::uint32_t kBatchBytesMax = 64u << 20;

/// What stands before a batch's records; docs/formats/journal.md says each.
struct BatchHead {
  std::uint32_t bytes = 0;  ///< of the whole batch
  std::uint32_t crc = 0;    ///< CRC32C of the records, then of the head without `crc`
  std::uint64_t base_offset = 0;
  std::uint64_t durable_bytes = 0;  ///< of this segment, known when the batch was written
  Time base_time = 0;               ///< of the first record
  Time max_time = 0;
  std::uint64_t producer = 0;  ///< 0: none; with kInTransaction, the transaction's number
  std::uint64_t sequence = 0;  ///< of the first record, counted by the producer
  std::uint32_t records = 0;
  std::uint32_t flags = 0;

  static constexpr std::uint32_t kInTransaction = 1;
  bool in_transaction() const { return (flags & kInTransaction) != 0; }
};

inline constexpr std::uint32_t kBatchHeadBytes = 64;

/// Appends head (not finished) and records to `out`, which must be empty. Errors: 2010 when there
/// is no record, or more than kBatchBytesMax bytes.
Status encode_batch(std::span<const JournalRecord> records, std::string& out);

/// Gives an encoded batch its place; `head` is what read_head() says of it, with the rest set.
/// `records_crc` is crc32c() of what stands behind the head. Cost: no pass over the records.
void finish_batch(std::string& batch, BatchHead head, std::uint32_t records_crc);

/// The head at the front of `bytes`; nullopt when it is cut or cannot be one.
std::optional<BatchHead> read_head(std::string_view bytes);

/// Whether the checksum of a batch, whole in `bytes`, is that of its content.
bool checksum_holds(const BatchHead& head, std::string_view bytes);

/// The records of a batch, in order.
class BatchRecords {
 public:
  BatchRecords() = default;
  /// `bytes` is a whole batch and stays while this is used.
  BatchRecords(const BatchHead& head, std::string_view bytes);
  /// False at the end, and when the bytes are no record: then damaged() is true.
  bool next(JournalRecord& out);
  bool damaged() const { return damaged_; }
  std::uint32_t left() const { return left_; }

 private:
  bool read(JournalRecord& out);

  std::string_view bytes_;
  std::uint64_t offset_ = 0;
  Time base_time_ = 0;
  std::uint32_t left_ = 0;
  bool damaged_ = false;
};

}  // namespace millrace::detail
