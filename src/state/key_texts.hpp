// KeyTexts: the long texts of a table's keys, and how much of them is of keys that are gone.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "record/arena.hpp"

namespace millrace::detail {

/// One thread.
class KeyTexts {
 public:
  /// `meter` counts the bytes and outlives it; null: nobody does.
  explicit KeyTexts(MemoryMeter* meter)
      : meter_(meter), arena_(std::make_unique<Arena>(kBlock, meter)) {}

  Arena& arena() { return *arena_; }
  std::size_t bytes() const { return arena_->capacity_bytes(); }
  void forget(std::size_t bytes) { gone_bytes_ += bytes; }
  void clear() {
    gone_bytes_ = 0;
    arena_->reset();
  }
  /// Whether to store the living ones anew pays for a walk over `slot_bytes` of slots: what is gone
  /// is more than the living, and a share of those.
  bool wasteful(std::size_t slot_bytes) const {
    return gone_bytes_ > kBlock && gone_bytes_ >= living_bytes() && gone_bytes_ >= slot_bytes / 4;
  }
  /// Calls store(fresh arena) to copy the living ones, and lets go of all others. `store` does not
  /// throw; where the meter has no memory for the copy it throws before.
  template <class Store>
  void renew(Store&& store) {
    auto fresh = std::make_unique<Arena>(kBlock, meter_);
    if (living_bytes() > 0) fresh->reserve(living_bytes());
    store(*fresh);
    arena_ = std::move(fresh);
    gone_bytes_ = 0;
  }

 private:
  static constexpr std::size_t kBlock = 64u << 10;
  std::size_t living_bytes() const { return arena_->used_bytes() - gone_bytes_; }

  MemoryMeter* meter_;
  std::unique_ptr<Arena> arena_;
  std::size_t gone_bytes_ = 0;
};

}  // namespace millrace::detail
