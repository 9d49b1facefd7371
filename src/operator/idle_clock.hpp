// IdleClock: for how long each partition has given nothing, the time not counted in which its
// source was not read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "base/time.hpp"

namespace millrace::detail {

/// A partition falls idle at the first look that finds it without a record for `after`: exactly
/// then, when it is looked at in time. All times are steady nanoseconds. One thread.
class IdleClock {
 public:
  /// `after` 0: nothing falls idle.
  explicit IdleClock(Duration after) : after_ns_(std::chrono::nanoseconds(after).count()) {}

  bool on() const { return after_ns_ > 0; }
  void resize(std::size_t partitions) { since_.resize(partitions, kNew); }

  /// The partition gave records, or a sign of life.
  void gave(std::uint32_t partition, std::int64_t now) {
    run(now);
    grow(partition);
    since_[partition] = now;
  }
  /// It counts no more; an idle one until it gives something.
  void ended(std::uint32_t partition) {
    grow(partition);
    since_[partition] = kNever;
  }
  /// For how long it has given nothing; -1: not looked at yet, or idle or ended.
  std::int64_t quiet_ns(std::uint32_t partition, std::int64_t now) const {
    if (partition >= since_.size()) return -1;
    const std::int64_t since = since_[partition];
    return since == kNew || since == kNever ? -1 : held_since_.value_or(now) - since;
  }
  /// It had given nothing for so long where an image was taken.
  void restore(std::uint32_t partition, std::int64_t quiet_ns, std::int64_t now) {
    grow(partition);
    if (quiet_ns >= 0) since_[partition] = now - quiet_ns;
  }
  /// The source looked at the partition. True when it has fallen idle by this look.
  bool looked(std::uint32_t partition, std::int64_t now) {
    run(now);
    grow(partition);
    std::int64_t& since = since_[partition];
    if (since == kNew) since = now;
    if (since == kNever || now - since < after_ns_) return false;
    since = kNever;
    return true;
  }
  /// The source is not read from now on, until the next call of another kind.
  void not_read(std::int64_t now) {
    if (!held_since_) held_since_ = now;
  }
  /// The partition is not looked at until its next look, from which on its time counts.
  void forget(std::uint32_t partition) {
    grow(partition);
    if (since_[partition] != kNever) since_[partition] = kNew;
  }
  bool is_held() const { return held_since_.has_value(); }

  /// When the next partition falls idle if nothing comes; the greatest number: none will, or time
  /// stands.
  std::int64_t next() const {
    if (held_since_) return kNever;
    std::int64_t least = kNever;
    for (const std::int64_t since : since_) {
      if (since != kNew) least = std::min(least, since);
    }
    return least == kNever ? kNever : least + after_ns_;
  }

 private:
  static constexpr std::int64_t kNew = std::numeric_limits<std::int64_t>::min();
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  void grow(std::uint32_t partition) {
    if (partition >= since_.size()) resize(partition + std::size_t{1});
  }
  void run(std::int64_t now) {
    if (!held_since_) return;
    for (std::int64_t& since : since_) {
      if (since != kNew && since != kNever) since += now - *held_since_;
    }
    held_since_.reset();
  }

  std::int64_t after_ns_;
  std::vector<std::int64_t> since_;  ///< of the last record; kNew: never looked at; kNever: is idle
  std::optional<std::int64_t> held_since_;
};

}  // namespace millrace::detail
