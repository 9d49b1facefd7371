// Rows in order, what is left of half an update, and what looks at them.
#include "connector/served_shard.hpp"

#include <algorithm>
#include <utility>

#include "connector/served_image.hpp"

namespace millrace::detail {
namespace {

/// What the tree takes for a row beside its texts.
constexpr std::size_t kNodeBytes = 48 + 32 + 48 + 16;
constexpr std::size_t kCountedAtOnce = 64u << 10;
constexpr std::size_t kSweptAtOnce = 256;
constexpr std::size_t kInPlace = 15;  ///< bytes of a text that lie in it

std::size_t text_bytes(std::string_view text) {
  return text.size() > kInPlace ? text.size() + 17 : 0;
}
std::size_t row_bytes(std::string_view key, std::string_view values) {
  return kNodeBytes + text_bytes(key) + text_bytes(values);
}

Time time_at(std::string_view key, std::size_t from_end) {
  std::uint64_t value = 0;
  for (const char byte : key.substr(key.size() - from_end, 8))
    value = (value << 8) | static_cast<unsigned char>(byte);
  return static_cast<Time>(value ^ (std::uint64_t{1} << 63));
}

}  // namespace

void append_window(std::string& key, Time start, Time end) {
  append_ordered_integer(key, start);
  append_ordered_integer(key, end);
}
Time window_start_of(std::string_view key) { return time_at(key, kWindowKeyBytes - 1); }
Time window_end_of(std::string_view key) { return time_at(key, 8); }

/// The bytes of the key that are its parts.
std::size_t ServedShard::cut(std::string_view key) const {
  return key.size() - (shape_.windowed ? kWindowKeyBytes : 0);
}

bool ServedShard::is_over(std::string_view key, const Row& row) const {
  if (shape_.keep <= Duration(0)) return false;
  const Time from = shape_.windowed ? window_end_of(key) : row.time;
  return saturating_add(from, shape_.keep.count()) < over_before_;
}

/// Blocks of it, so that the meter is asked seldom.
void ServedShard::grow(std::size_t bytes) {
  const std::uint64_t now = bytes_.load(std::memory_order_relaxed) + bytes;
  if (meter_ != nullptr && now > counted_) {
    const std::size_t more = std::max<std::size_t>(now - counted_, kCountedAtOnce);
    meter_->grow(more);
    counted_ += more;
  }
  bytes_.store(now, std::memory_order_relaxed);
}

void ServedShard::shrink(std::size_t bytes) {
  const std::uint64_t now = bytes_.load(std::memory_order_relaxed) - bytes;
  bytes_.store(now, std::memory_order_relaxed);
  if (meter_ == nullptr || counted_ < now + 2 * kCountedAtOnce) return;
  meter_->shrink(counted_ - now - kCountedAtOnce);
  counted_ = now + kCountedAtOnce;
}

void ServedShard::stop_counting() {
  if (meter_ != nullptr) meter_->shrink(std::exchange(counted_, 0));
  meter_ = nullptr;
}

void ServedShard::save_before_change(Rows::iterator at) {
  if (image_ == nullptr || at->second.image == images_) return;
  at->second.image = images_;
  image_->add(at->first, at->second.values, at->second.time);
}

void ServedShard::remove(Rows::iterator at) {
  save_before_change(at);
  shrink(row_bytes(at->first, at->second.values));
  rows_.erase(at);
  size_.store(rows_.size(), std::memory_order_relaxed);
}

/// Of the same key: what was taken back, and of sessions what the new one has taken in.
void ServedShard::end_predecessors(const std::string& key) {
  const std::string_view parts = std::string_view(key).substr(0, cut(key));
  for (auto at = leaving_.lower_bound(parts); at != leaving_.end();) {
    if (!at->first.starts_with(parts)) break;
    if (at->first != key) erase(at->first);
    at = leaving_.erase(at);
  }
  if (!shape_.sessions) return;
  for (auto at = rows_.lower_bound(key.substr(0, parts.size() + kWindowKeyBytes / 2));
       at != rows_.end() && at->first.starts_with(parts);) {
    if (window_start_of(at->first) >= window_end_of(key)) break;
    const auto here = at++;
    if (here->first != key && window_end_of(here->first) <= window_end_of(key)) remove(here);
  }
}

void ServedShard::put(const std::string& key, const std::string& values, Time time) {
  if (!leaving_.empty() || shape_.sessions) end_predecessors(key);
  auto at = rows_.lower_bound(key);
  if (at == rows_.end() || at->first != key) {
    grow(row_bytes(key, values));
    at = rows_.emplace_hint(at, key, Row{values, time, images_});
    size_.store(rows_.size(), std::memory_order_relaxed);
    return;
  }
  Row& row = at->second;
  save_before_change(at);
  const std::size_t before = text_bytes(row.values);
  const std::size_t after = text_bytes(values);
  if (after > before) grow(after - before);
  row.values = values;
  row.time = time;
  if (before > after) shrink(before - after);
}

void ServedShard::take_back(const std::string& key, Time last) {
  if (rows_.contains(key)) leaving_.insert_or_assign(key, last);
}

void ServedShard::erase(const std::string& key) {
  if (const auto at = rows_.find(key); at != rows_.end()) remove(at);
}

void ServedShard::settle(Time watermark) {
  std::erase_if(leaving_, [&](const auto& left) {
    const bool alone = left.second < watermark || watermark == kTimeMax;
    if (alone) erase(left.first);
    return alone;
  });
}

void ServedShard::reached(Time watermark) {
  settle(watermark);
  watermark_.store(watermark, std::memory_order_relaxed);
  if (watermark != kTimeMax) over_before_ = watermark;  // the end of input is no time
  sweep(kSweptAtOnce);
}

void ServedShard::sweep(std::size_t rows) {
  if (shape_.keep <= Duration(0)) return;
  auto at = rows_.upper_bound(swept_to_);
  for (; rows > 0 && at != rows_.end(); --rows) {
    const auto here = at++;
    if (is_over(here->first, here->second)) remove(here);
  }
  swept_to_ = at == rows_.end() || at == rows_.begin() ? std::string() : std::prev(at)->first;
}

/// One shard's look at its rows, range by range.
class ServedShard::Looking {
 public:
  Looking(const ServedShard& shard, const ServedQuestion& question, ServedPart& part)
      : shard_(shard), question_(question), part_(part) {}

  /// False: no more is to be looked at.
  bool range(const KeyRange& range) {
    auto at = shard_.rows_.lower_bound(range.from);
    if (question_.after >= range.from && !question_.after.empty())
      at = shard_.rows_.upper_bound(question_.after);
    while (at != shard_.rows_.end() && (range.until.empty() || at->first < range.until)) {
      if (++looked_ > kLookMost || part_.rows.size() > question_.limit || bytes_ > kBytesMost) {
        part_.looked_to = last_;
        return false;
      }
      last_ = at->first;
      at = take(at);
    }
    return true;
  }

 private:
  using At = Rows::const_iterator;

  /// The row to look at next: where windows are too early or too late, the first that may not be.
  At take(At at) {
    const std::string& key = at->first;
    if (shard_.shape_.windowed) {
      const Time start = window_start_of(key);
      const std::string_view parts = std::string_view(key).substr(0, shard_.cut(key));
      if (question_.windows_from && start < *question_.windows_from) {
        std::string first(parts);
        append_ordered_integer(first, *question_.windows_from);
        return shard_.rows_.lower_bound(first);
      }
      if (question_.windows_until && start >= *question_.windows_until)
        return shard_.rows_.lower_bound(std::string(parts) + '\xff');
    }
    if (!shard_.is_over(key, at->second)) {
      part_.rows.push_back({key, at->second.values});
      bytes_ += key.size() + at->second.values.size();
    }
    return ++at;
  }

  const ServedShard& shard_;
  const ServedQuestion& question_;
  ServedPart& part_;
  std::size_t looked_ = 0;
  std::size_t bytes_ = 0;
  std::string last_;
};

ServedPart ServedShard::look(const ServedQuestion& question) const {
  ServedPart part;
  Looking looking(*this, question, part);
  const std::lock_guard lock(mutex_);
  part.watermark = watermark_.load(std::memory_order_relaxed);
  for (const KeyRange& range : question.ranges) {
    if (!looking.range(range)) break;
  }
  return part;
}

}  // namespace millrace::detail
