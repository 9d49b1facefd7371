// The type-independent part of appending and exchanging batches.
#include "record/batch_type.hpp"

#include <algorithm>

#include "record/arrival_path.hpp"

namespace millrace::detail {

namespace {

void check_same_mode(const BatchBase& to, const BatchBase& from) {
  if (to.size() == 0) return;
  MR_CHECK(to.has_times() == from.has_times(), "records with and without event time in one batch");
  MR_CHECK(to.hashes.empty() == from.hashes.empty(),
           "records with and without key hash in one batch");
}

/// Records that came without a place get none: where they meet others, the batch is filled up.
bool carries_arrivals(BatchBase& to, const BatchBase& from) {
  if (to.arrivals.empty() && from.arrivals.empty()) return false;
  to.arrivals.resize(to.size());
  return from.arrivals.size() == from.size();
}
/// The same for messages, of which the last records of a batch may have none.
bool carries_messages(BatchBase& to, const BatchBase& from) {
  if (from.messages.empty()) return false;
  to.messages.resize(to.size());
  return true;
}

}  // namespace

Arrival Arrival::child(std::uint64_t index) const {
  constexpr std::uint64_t kShort = 7;
  constexpr std::uint64_t kMiddle = 63;
  constexpr std::uint64_t kLong = (1u << 18) - 1;
  if (!is_exact(*this)) return *this;
  std::uint32_t used = path & kPathIsCut;
  std::uint32_t bits = path >> kPathLengthBits;
  bool cut = index >= kShort + kMiddle + kLong;
  const auto append = [&](std::uint64_t code, std::uint32_t width) {
    const std::uint32_t taken = std::min(width, kPathBits - used);
    cut |= taken < width;
    used += taken;
    if (taken > 0) {
      bits |= static_cast<std::uint32_t>(code >> (width - taken)) << (kPathBits - used);
    }
  };
  append(std::min(index, kShort), 3);
  if (index >= kShort) append(std::min(index - kShort, kMiddle), 6);
  if (index >= kShort + kMiddle) append(std::min(index - kShort - kMiddle, kLong), 18);
  return {origin, bits << kPathLengthBits | (cut ? kPathIsCut : used), number};
}

void append_marks(BatchBase& to, const BatchBase& from, std::span<const std::uint32_t> picks) {
  check_same_mode(to, from);
  if (from.has_times()) append_picked(to.times, from.times, picks);
  if (!from.hashes.empty()) append_picked(to.hashes, from.hashes, picks);
  if (carries_arrivals(to, from)) append_picked(to.arrivals, from.arrivals, picks);
  if (carries_messages(to, from)) to.messages.append(from.messages, picks);
  if (!from.behind.empty()) {
    const auto base = static_cast<std::uint32_t>(to.size());
    auto mark = from.behind.begin();
    for (std::uint32_t i = 0; i < picks.size(); ++i) {
      while (mark != from.behind.end() && mark->index < picks[i]) ++mark;
      if (mark == from.behind.end()) break;
      if (mark->index == picks[i]) to.behind.push_back({base + i, mark->watermark});
    }
  }
  to.pin_all(from);
}

void append_all_marks(BatchBase& to, const BatchBase& from) {
  check_same_mode(to, from);
  append_values_of(to.times, from.times);
  append_values_of(to.hashes, from.hashes);
  if (carries_arrivals(to, from)) append_values_of(to.arrivals, from.arrivals);
  if (carries_messages(to, from)) to.messages.append_all(from.messages);
  const auto base = static_cast<std::uint32_t>(to.size());
  for (const Behind& mark : from.behind) to.behind.push_back({base + mark.index, mark.watermark});
  to.pin_all(from);
}

void swap_marks(BatchBase& a, BatchBase& b) {
  a.times.swap(b.times);
  a.hashes.swap(b.hashes);
  a.behind.swap(b.behind);
  a.arrivals.swap(b.arrivals);
  a.messages.swap(b.messages);
  a.arenas.swap(b.arenas);
  std::swap(a.watermark, b.watermark);
  std::swap(a.end, b.end);
  std::swap(a.due_ns, b.due_ns);
  std::swap(a.partition, b.partition);
  std::swap(a.offset, b.offset);
  std::swap(a.lap, b.lap);
  std::swap(a.hashed_by, b.hashed_by);
}

}  // namespace millrace::detail
