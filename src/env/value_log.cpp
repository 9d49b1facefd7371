// The bytes of records, and the segments that they fill.
#include "env/value_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace millrace::detail {
namespace {

/// In front of each value; behind it, where the value is over one day, stands when.
struct Head {
  std::uint64_t key;
  std::uint32_t length;
  std::uint32_t marks;
};
constexpr std::uint32_t kEnds = 1;       ///< it will be over
constexpr std::uint32_t kUnchanged = 2;  ///< see DiskTable::put()
constexpr std::size_t kOverBytes = 2 * sizeof(Time);
constexpr std::uint64_t kValueMost = 1u << 29;

bool ends(OverAt over) { return over.event != kTimeMax && over.clock != kTimeMax; }

}  // namespace

std::uint64_t ValueLog::bytes_of(OverAt over, std::string_view value) {
  const std::uint64_t bytes = sizeof(Head) + (ends(over) ? kOverBytes : 0) + value.size();
  return (bytes + kUnit - 1) / kUnit * kUnit;
}

ValueLog::Record ValueLog::read(const char* at) {
  Head head;
  std::memcpy(&head, at, sizeof head);
  at += sizeof head;
  Record record;
  record.key = head.key;
  record.changed = (head.marks & kUnchanged) == 0;
  if ((head.marks & kEnds) != 0) {
    std::memcpy(&record.over.event, at, sizeof(Time));
    std::memcpy(&record.over.clock, at + sizeof(Time), sizeof(Time));
    at += kOverBytes;
  }
  record.value = {at, head.length};
  return record;
}

std::uint64_t ValueLog::place_of(std::uint32_t segment, std::uint64_t position,
                                 std::uint64_t bytes) {
  const std::uint64_t length = std::min(bytes / kUnit, kLengthMost);
  return (std::uint64_t{segment} << kPositionBits | position / kUnit) << kLengthBits | length;
}

Status ValueLog::reserve(OverAt over, std::string_view value) {
  if (value.size() > kValueMost) {
    return {Code::sink_failed,
            fmt::format("a value of {} bytes is longer than the {} that it takes", value.size(),
                        kValueMost)};
  }
  const std::uint64_t bytes = bytes_of(over, value);
  if (newest_ != kNone) {
    const Segment& newest = *segments_[newest_];
    if (newest.used + bytes <= newest.pages.bytes()) return {};
  }
  return open_segment(bytes);
}

/// An eighth of what there is, so that there are few of them, and the one that is being filled is
/// little beside the others.
Status ValueLog::open_segment(std::uint64_t bytes) {
  const std::uint64_t size = std::clamp(std::bit_ceil(used_ / 8), kSegmentLeast, kSegmentMost);
  if (spare_.bytes() < std::max(size / 2, bytes)) {
    auto pages = ScratchPages::make(folder_, std::max(size, bytes));
    if (!pages) return pages.error();
    files_ += pages->bytes() - spare_.bytes();
    spare_ = std::move(*pages);
  }
  const auto free = std::find(segments_.begin() + 1, segments_.end(), nullptr);
  const auto number = static_cast<std::uint32_t>(free - segments_.begin());
  if (number == kSegmentsMax)
    return {Code::sink_failed,
            fmt::format("it has all of the {} segments that it may have", number)};
  if (free == segments_.end()) segments_.emplace_back();
  segments_[number] = std::make_unique<Segment>();
  segments_[number]->opened = opened_++;
  std::swap(segments_[number]->pages, spare_);
  const std::uint32_t before = std::exchange(newest_, number);
  if (before != kNone && segments_[before]->live == 0) release(before);
  return {};
}

std::uint64_t ValueLog::append(std::uint64_t key, OverAt over, std::string_view value,
                               bool changed) {
  Segment& segment = *segments_[newest_];
  const std::uint64_t position = segment.used;
  const std::uint64_t bytes = bytes_of(over, value);
  char* to = segment.pages.data() + position;
  const std::uint32_t marks = (ends(over) ? kEnds : 0) | (changed ? 0 : kUnchanged);
  const Head head{key, static_cast<std::uint32_t>(value.size()), marks};
  std::memcpy(to, &head, sizeof head);
  to += sizeof head;
  if ((marks & kEnds) != 0) {
    std::memcpy(to, &over.event, sizeof(Time));
    std::memcpy(to + sizeof(Time), &over.clock, sizeof(Time));
    to += kOverBytes;
  }
  std::memcpy(to, value.data(), value.size());
  segment.used += bytes;
  segment.live += bytes;
  used_ += bytes;
  live_ += bytes;
  return place_of(newest_, position, bytes);
}

void ValueLog::retire(std::uint64_t place) {
  const std::uint32_t number = segment_of(place);
  std::uint64_t bytes = (place & kLengthMost) * kUnit;
  if ((place & kLengthMost) == kLengthMost) {  // it is longer than a place can say
    const Record record = at(place);
    bytes = bytes_of(record.over, record.value);
  }
  Segment& segment = *segments_[number];
  segment.live -= bytes;
  live_ -= bytes;
  if (segment.live == 0 && is_full(number)) release(number);
}

void ValueLog::release(std::uint32_t number) {
  if (walked_ == number) walked_ = kNone;
  Segment& segment = *segments_[number];
  used_ -= segment.used;
  if (segment.pages.bytes() > spare_.bytes()) std::swap(segment.pages, spare_);
  files_ -= segment.pages.bytes();
  segments_[number].reset();
}

ValueLog::Position ValueLog::end() const {
  if (newest_ == kNone) return {opened_, 0};
  return {segments_[newest_]->opened, segments_[newest_]->used};
}

ValueLog::Position ValueLog::position_of(std::uint64_t place) const {
  const Segment& segment = *segments_[segment_of(place)];
  return {segment.opened, static_cast<std::uint64_t>(at_bytes(place) - segment.pages.data())};
}

void ValueLog::keep(Position from, Position to) {
  kept_from_ = from;
  kept_to_ = to;
  if (walked_ != kNone && is_kept(walked_)) walked_ = kNone;
}

std::uint32_t ValueLog::segment_from(Position from) const {
  std::uint32_t found = kNone;
  for (std::uint32_t number = 1; number < segments_.size(); ++number) {
    if (segments_[number] == nullptr || segments_[number]->opened < from.segment) continue;
    if (found == kNone || segments_[number]->opened < segments_[found]->opened) found = number;
  }
  return found;
}

bool ValueLog::walk_emptiest() {
  walked_ = kNone;
  position_ = 0;
  double least = 1;
  for (std::uint32_t number = 1; number < segments_.size(); ++number) {
    if (!may_walk(number)) continue;
    const Segment& segment = *segments_[number];
    const double share = static_cast<double>(segment.live) / static_cast<double>(segment.used);
    if (share >= least) continue;
    least = share;
    walked_ = number;
  }
  return walks();
}

bool ValueLog::walk_next() {
  position_ = 0;
  const auto count = static_cast<std::uint32_t>(segments_.size());
  for (std::uint32_t step = 0; step < count; ++step) {
    looked_ = (looked_ + 1) % count;
    if (looked_ == kNone || !may_walk(looked_)) continue;
    walked_ = looked_;
    return true;
  }
  return false;
}

}  // namespace millrace::detail
