// The type-independent part of appending and exchanging batches.
#include "record/batch_type.hpp"

namespace millrace::detail {

namespace {

void check_same_mode(const BatchBase& to, const BatchBase& from) {
  if (to.size() == 0) return;
  MR_CHECK(to.has_times() == from.has_times(), "records with and without event time in one batch");
  MR_CHECK(to.hashes.empty() == from.hashes.empty(),
           "records with and without key hash in one batch");
}

}  // namespace

void append_marks(BatchBase& to, const BatchBase& from, std::span<const std::uint32_t> picks) {
  check_same_mode(to, from);
  if (from.has_times()) append_picked(to.times, from.times, picks);
  if (!from.hashes.empty()) append_picked(to.hashes, from.hashes, picks);
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
  const auto base = static_cast<std::uint32_t>(to.size());
  for (const Behind& mark : from.behind) to.behind.push_back({base + mark.index, mark.watermark});
  to.pin_all(from);
}

void swap_marks(BatchBase& a, BatchBase& b) {
  a.times.swap(b.times);
  a.hashes.swap(b.hashes);
  a.behind.swap(b.behind);
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
