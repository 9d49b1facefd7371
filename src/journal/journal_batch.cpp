// Batches to bytes and back.
#include "journal/journal_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/crc32c.hpp"
#include "base/byte_codec.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t kCrcAt = 4;
constexpr std::size_t kRecordExtraBytes = 12;  // lengths and time, mostly

/// Null is 0, else the length + 1 and the bytes.
void put_optional(std::string& out, const std::optional<std::string_view>& text) {
  if (!text) return put_varint(out, 0);
  put_varint(out, text->size() + 1);
  out.append(*text);
}

std::optional<std::string_view> take_optional(BytesCursor& from) {
  const std::uint64_t size = from.varint();
  if (size == 0) return std::nullopt;
  return from.take(size - 1);
}

std::string spelled(const BatchHead& head) {
  std::string out;
  put_number(out, head.bytes);
  put_number(out, head.crc);
  put_number(out, head.base_offset);
  put_number(out, head.durable_bytes);
  put_number(out, head.base_time);
  put_number(out, head.max_time);
  put_number(out, head.producer);
  put_number(out, head.sequence);
  put_number(out, head.records);
  put_number(out, head.flags);
  return out;
}

std::uint32_t with_head(std::uint32_t records_crc, std::string_view head) {
  const std::uint32_t crc = extend_crc32c(records_crc, head.substr(0, kCrcAt));
  return extend_crc32c(crc, head.substr(kCrcAt + sizeof crc));
}

/// The difference of two times, also where it does not fit: it wraps, and wraps back.
std::int64_t wrapping_minus(Time a, Time b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
Time wrapping_plus(Time a, std::int64_t b) {
  return static_cast<Time>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

}  // namespace

Status encode_batch(std::span<const JournalRecord> records, std::string& out) {
  if (records.empty())
    return {Code::parameter_invalid, "journal: a batch without a record cannot be appended"};
  BatchHead head;
  head.base_time = head.max_time = records.front().time;
  head.records = static_cast<std::uint32_t>(records.size());
  std::size_t expected = kBatchHeadBytes;
  for (const JournalRecord& record : records)
    expected +=
        kRecordExtraBytes + record.key.value_or("").size() + record.value.value_or("").size();
  out.reserve(std::min<std::size_t>(expected, kBatchBytesMax));
  out.append(kBatchHeadBytes, '\0');
  for (const JournalRecord& record : records) {
    head.max_time = std::max(head.max_time, record.time);
    put_varint(out, zigzag(wrapping_minus(record.time, head.base_time)));
    put_optional(out, record.key);
    put_optional(out, record.value);
    put_varint(out, record.headers.size());
    for (const JournalHeader& header : record.headers) {
      put_optional(out, header.name);
      put_optional(out, header.value);
    }
    if (out.size() > kBatchBytesMax) {
      return {Code::parameter_invalid,
              fmt::format("journal: a batch of more than {} bytes cannot be appended: append fewer "
                          "records at once, or smaller ones",
                          kBatchBytesMax)};
    }
  }
  head.bytes = static_cast<std::uint32_t>(out.size());
  out.replace(0, kBatchHeadBytes, spelled(head));
  return {};
}

void finish_batch(std::string& batch, BatchHead head, std::uint32_t records_crc) {
  head.crc = with_head(records_crc, spelled(head));
  batch.replace(0, kBatchHeadBytes, spelled(head));
}

std::optional<BatchHead> read_head(std::string_view bytes) {
  if (bytes.size() < kBatchHeadBytes) return std::nullopt;
  BytesCursor from(bytes);
  BatchHead head;
  head.bytes = from.number<std::uint32_t>();
  head.crc = from.number<std::uint32_t>();
  head.base_offset = from.number<std::uint64_t>();
  head.durable_bytes = from.number<std::uint64_t>();
  head.base_time = from.number<Time>();
  head.max_time = from.number<Time>();
  head.producer = from.number<std::uint64_t>();
  head.sequence = from.number<std::uint64_t>();
  head.records = from.number<std::uint32_t>();
  head.flags = from.number<std::uint32_t>();
  // The least record takes four bytes.
  const bool possible = head.bytes > kBatchHeadBytes && head.bytes <= kBatchBytesMax &&
                        head.records > 0 && head.records <= (head.bytes - kBatchHeadBytes) / 4 &&
                        head.flags <= BatchHead::kInTransaction &&
                        (!head.in_transaction() || head.producer != 0);
  if (!possible) return std::nullopt;
  return head;
}

bool checksum_holds(const BatchHead& head, std::string_view bytes) {
  const std::uint32_t records = crc32c(bytes.substr(kBatchHeadBytes, head.bytes - kBatchHeadBytes));
  return with_head(records, bytes.substr(0, kBatchHeadBytes)) == head.crc;
}

BatchRecords::BatchRecords(const BatchHead& head, std::string_view bytes)
    : bytes_(bytes.substr(kBatchHeadBytes, head.bytes - kBatchHeadBytes)),
      offset_(head.base_offset),
      base_time_(head.base_time),
      left_(head.records) {}

bool BatchRecords::next(JournalRecord& out) {
  if (left_ == 0 || damaged_) return false;
  damaged_ = !read(out) || (left_ == 1 && !bytes_.empty());
  --left_;
  return !damaged_;
}

bool BatchRecords::read(JournalRecord& out) {
  BytesCursor from(bytes_);
  out.offset = offset_++;
  out.time = wrapping_plus(base_time_, unzigzag(from.varint()));
  out.key = take_optional(from);
  out.value = take_optional(from);
  out.headers.clear();
  for (std::uint64_t headers = from.varint(); headers > 0 && from.ok(); --headers) {
    JournalHeader header;
    header.name = take_optional(from).value_or("");
    header.value = take_optional(from).value_or("");
    if (from.ok()) out.headers.push_back(header);
  }
  if (!from.ok()) return false;
  bytes_ = from.rest();
  return true;
}

}  // namespace millrace::detail
