// Walking segments, telling torn tails from damage, and sparse indexes.
#include "journal/segment.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/crc32c.hpp"
#include "base/byte_codec.hpp"
#include "journal/journal_file.hpp"

namespace millrace::detail {
namespace {

constexpr std::string_view kSegmentKind = "MRJsegmt";
constexpr std::string_view kIndexKind = "MRJindex";
constexpr std::uint64_t kReadBytes = 256u << 10;
constexpr std::uint64_t kIndexEveryBytes = 64u << 10;
constexpr std::uint64_t kOffsetsAhead = 1ull << 32;  // more do not fit behind a damage

}  // namespace

std::string segment_path(const std::string& folder, std::uint64_t base_offset) {
  return fmt::format("{}/{:020}.log", folder, base_offset);
}
std::string index_path(const std::string& folder, std::uint64_t base_offset) {
  return fmt::format("{}/{:020}.idx", folder, base_offset);
}

std::string segment_head(std::uint64_t base_offset) {
  std::string bytes(kSegmentKind);
  put_number(bytes, kJournalVersion);
  put_number(bytes, base_offset);
  put_number(bytes, crc32c(bytes));
  return bytes;
}

Status check_segment_head(DiskFile& file, const std::string& path, std::uint64_t base_offset) {
  std::string bytes(kSegmentHeadBytes, '\0');
  const auto count = file.read_at(0, bytes.data(), bytes.size());
  if (!count) return count.error();
  if (*count < bytes.size()) return journal_damage(path, *count, "it ends too early");
  if (bytes == segment_head(base_offset)) return {};
  BytesCursor from(bytes);
  from.take(kSegmentKind.size());
  const auto version = from.number<std::uint32_t>();
  from.number<std::uint64_t>();
  const bool whole =
      from.number<std::uint32_t>() == crc32c(std::string_view(bytes).substr(0, bytes.size() - 4));
  if (!whole || version == kJournalVersion)
    return journal_damage(path, 0, "it does not begin as a segment does");
  return {Code::input_corrupt,
          fmt::format("\"{}\" has format version {}, this program knows version {}: use the "
                      "program that wrote it, or a later one",
                      path, version, kJournalVersion)};
}

SegmentWalk::Step SegmentWalk::bad(std::string why) {
  trouble_ = std::move(why);
  return Step::bad;
}

/// Brings the `bytes` bytes at next_ into the buffer; false when the file has fewer.
Result<bool> SegmentWalk::load(std::uint64_t bytes, std::uint64_t limit) {
  if (next_ + bytes > limit) return false;
  if (next_ >= buffer_at_ && next_ + bytes <= buffer_at_ + buffer_.size()) return true;
  buffer_at_ = next_;
  buffer_.resize(std::min(std::max(bytes, kReadBytes), limit - next_));
  const auto count = file_->read_at(buffer_at_, buffer_.data(), buffer_.size());
  if (!count) {
    buffer_.clear();
    return count.error();
  }
  buffer_.resize(*count);
  return bytes <= *count;
}

Result<SegmentWalk::Step> SegmentWalk::next(std::uint64_t limit) {
  if (next_ == limit) return Step::end;
  // What was read before its writer had finished is read again.
  const bool again = !trouble_.empty();
  trouble_.clear();
  if (again) buffer_.clear();
  auto loaded = load(kBatchHeadBytes, limit);
  if (!loaded) return loaded.error();
  if (!*loaded) return bad("a batch is cut in its head");
  const auto head = read_head(std::string_view(buffer_).substr(next_ - buffer_at_));
  if (!head) return bad("no batch begins there");
  loaded = load(head->bytes, limit);
  if (!loaded) return loaded.error();
  if (!*loaded) return bad(fmt::format("a batch of {} bytes is cut", head->bytes));
  const auto bytes = std::string_view(buffer_).substr(next_ - buffer_at_, head->bytes);
  if (checked_ && !checksum_holds(*head, bytes))
    return bad("the checksum of a batch does not fit its content");
  if (checked_ && head->base_offset != offset_)
    return bad(fmt::format("a batch has offset {} where {} is due", head->base_offset, offset_));
  head_ = *head;
  position_ = next_;
  next_ += head_.bytes;
  offset_ += head_.records;
  return Step::batch;
}

std::string_view SegmentWalk::bytes() const {
  return std::string_view(buffer_).substr(position_ - buffer_at_, head_.bytes);
}

Result<std::uint64_t> later_claim(DiskFile& file, std::uint64_t position, std::uint64_t offset,
                                  std::uint64_t file_bytes) {
  std::uint64_t claim = 0;
  if (position >= file_bytes) return claim;
  std::string rest(file_bytes - position, '\0');
  const auto count = file.read_at(position, rest.data(), rest.size());
  if (!count) return count.error();
  rest.resize(*count);
  for (std::size_t at = 0; at + kBatchHeadBytes <= rest.size();) {
    const auto bytes = std::string_view(rest).substr(at);
    const auto head = read_head(bytes);
    const bool whole = head && head->bytes <= bytes.size() && head->base_offset >= offset &&
                       head->base_offset - offset <= kOffsetsAhead && checksum_holds(*head, bytes);
    if (whole) claim = std::max(claim, head->durable_bytes);
    at += whole ? head->bytes : 1;
  }
  return claim;
}

void SegmentIndex::note(const BatchHead& head, std::uint64_t position) {
  if (entries_.empty() || position >= entries_.back().position + kIndexEveryBytes)
    entries_.push_back({head.base_offset, position, max_time_});
  max_time_ = std::max(max_time_, head.max_time);
}

IndexEntry SegmentIndex::at_offset(std::uint64_t offset) const {
  const auto after =
      std::upper_bound(entries_.begin(), entries_.end(), offset,
                       [](std::uint64_t wanted, const IndexEntry& e) { return wanted < e.offset; });
  return after == entries_.begin() ? IndexEntry{} : *std::prev(after);
}

IndexEntry SegmentIndex::at_time(Time time) const {
  const auto after =
      std::partition_point(entries_.begin(), entries_.end(),
                           [time](const IndexEntry& e) { return e.max_time_before < time; });
  return after == entries_.begin() ? IndexEntry{} : *std::prev(after);
}

SegmentIndex SegmentIndex::below(std::uint64_t position) const {
  SegmentIndex index = *this;
  std::erase_if(index.entries_,
                [position](const IndexEntry& entry) { return entry.position >= position; });
  return index;
}

std::string SegmentIndex::to_bytes() const {
  std::string payload;
  put_number(payload, max_time_);
  put_number(payload, static_cast<std::uint32_t>(entries_.size()));
  for (const IndexEntry& entry : entries_) {
    put_number(payload, entry.offset);
    put_number(payload, entry.position);
    put_number(payload, entry.max_time_before);
  }
  return sealed(kIndexKind, payload);
}

Result<SegmentIndex> SegmentIndex::from_bytes(const std::string& path, std::string_view bytes) {
  const auto payload = unsealed(path, kIndexKind, bytes);
  if (!payload) return payload.error();
  SegmentIndex index;
  BytesCursor from(*payload);
  index.max_time_ = from.number<Time>();
  for (auto left = from.number<std::uint32_t>(); left > 0 && from.ok(); --left) {
    IndexEntry entry;
    entry.offset = from.number<std::uint64_t>();
    entry.position = from.number<std::uint64_t>();
    entry.max_time_before = from.number<Time>();
    index.entries_.push_back(entry);
  }
  if (!from.ok() || !from.rest().empty()) return journal_damage(path, 0, "its content is no index");
  return index;
}

}  // namespace millrace::detail
