// HeavyHitters: the most frequent of sampled keys in a few slots, after the Space-Saving algorithm
// (Metwally, Agrawal, El Abbadi, 2005).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace millrace::detail {

/// Takes one sampled key a batch. One adding thread, which never waits: while another reads, a
/// sample is left out. Old samples fade: counts are halved each 4,096 samples.
///
/// Error: a count is at most samples / kSlots too high. Memory: kSlots texts.
class HeavyHitters {
 public:
  static constexpr std::size_t kSlots = 16;
  struct Hit {
    std::uint64_t hash = 0;
    std::uint64_t count = 0;
    std::string text;
  };

  /// `text()` is called only when the key comes into a slot.
  template <class Text>
  void add(std::uint64_t hash, Text&& text) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return;
    if (++samples_ == kFade) fade();
    Hit* least = hits_.data();
    for (Hit& hit : hits_) {
      if (hit.count > 0 && hit.hash == hash) {
        ++hit.count;
        return;
      }
      if (hit.count < least->count) least = &hit;
    }
    least->hash = hash;
    ++least->count;
    least->text = text();
  }

  /// Adds its counts to `sum` by hash and returns the number of samples behind them.
  std::uint64_t merge_into(std::vector<Hit>& sum) const {
    const std::lock_guard lock(mutex_);
    for (const Hit& hit : hits_) {
      if (hit.count == 0) continue;
      const auto known = std::ranges::find(sum, hit.hash, &Hit::hash);
      if (known == sum.end()) {
        sum.push_back(hit);
      } else {
        known->count += hit.count;
      }
    }
    return samples_;
  }

 private:
  static constexpr std::uint64_t kFade = 4096;
  void fade() {
    samples_ /= 2;
    for (Hit& hit : hits_) hit.count /= 2;
  }

  mutable std::mutex mutex_;
  std::array<Hit, kSlots> hits_{};
  std::uint64_t samples_ = 0;
};

}  // namespace millrace::detail
