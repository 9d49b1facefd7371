// KeyTexts: the long texts of a table's keys, and how much of them is of keys that are gone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "record/arena.hpp"

namespace millrace::detail {

/// One thread. Some of the texts may have come with keys of other tables: they lie where they lay,
/// in arenas that all share who have such keys, and nobody writes to.
class KeyTexts {
 public:
  /// `meter` counts the bytes and outlives it; null: nobody does.
  explicit KeyTexts(MemoryMeter* meter)
      : meter_(meter), arena_(std::make_unique<Arena>(kBlock, meter)) {}
  KeyTexts(const KeyTexts&) = delete;
  KeyTexts& operator=(const KeyTexts&) = delete;
  ~KeyTexts() { leave_shared(); }

  Arena& arena() { return *arena_; }
  std::size_t bytes() const { return arena_->capacity_bytes() + shared_bytes_; }
  void forget(std::size_t bytes) { gone_bytes_ += bytes; }
  void clear() {
    gone_bytes_ = 0;
    arena_->reset();
    leave_shared();
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
    leave_shared();
  }
  /// `keys` of the `all` keys of `from` are of this now: counts as large a share of its texts, and
  /// of those that are gone. What is shared goes when the last who shares it renews its own, or
  /// goes. Throws MemoryRefused, with nothing shared.
  void share(KeyTexts& from, std::size_t keys, std::size_t all) {
    from.seal();
    if (from.shared_.empty()) return;
    const auto part = [&](std::size_t bytes) {
      return keys == all
                 ? bytes
                 : static_cast<std::size_t>(static_cast<double>(bytes) / static_cast<double>(all) *
                                            static_cast<double>(keys));
    };
    const std::size_t bytes = part(from.shared_bytes_);
    const std::size_t gone = part(from.gone_bytes_);
    shared_.reserve(shared_.size() + from.shared_.size());
    if (meter_) meter_->grow(bytes);
    for (const auto& arena : from.shared_) {
      if (std::ranges::find(shared_, arena) == shared_.end()) shared_.push_back(arena);
    }
    shared_bytes_ += bytes;
    gone_bytes_ += gone;
    from.shared_bytes_ -= bytes;
    from.gone_bytes_ -= gone;
    if (from.meter_) from.meter_->shrink(bytes);
    if (keys == all) from.leave_shared();
  }

 private:
  static constexpr std::size_t kBlock = 64u << 10;
  /// Of those that are shared nobody knows better than the share of them.
  std::size_t living_bytes() const {
    return std::max(arena_->used_bytes() + shared_bytes_, gone_bytes_) - gone_bytes_;
  }
  /// Its own texts become shared ones.
  void seal() {
    if (arena_->used_bytes() == 0) return;
    auto fresh = std::make_unique<Arena>(kBlock, meter_);
    shared_.reserve(shared_.size() + 1);
    std::shared_ptr<Arena> own = std::exchange(arena_, std::move(fresh));
    shared_bytes_ += own->stop_counting();
    shared_.push_back(std::move(own));
  }
  void leave_shared() noexcept {
    if (meter_) meter_->shrink(shared_bytes_);
    shared_bytes_ = 0;
    shared_.clear();
  }

  MemoryMeter* meter_;
  std::unique_ptr<Arena> arena_;
  std::vector<std::shared_ptr<Arena>> shared_;
  std::size_t shared_bytes_ = 0;  ///< the share that is counted here
  std::size_t gone_bytes_ = 0;
};

}  // namespace millrace::detail
