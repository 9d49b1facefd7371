// CalmAfterPeak: when memory of a busy time may be given back: some calm seconds after it.
#pragma once

#include <cstdint>
#include <optional>

namespace millrace::detail {

/// Pure arithmetic over times and shares that it is told. One thread.
class CalmAfterPeak {
 public:
  enum class Now {
    nothing,
    ask_tasks,  ///< let them free what they keep for busy times
    trim,       ///< they had time to: give free pages back to the system
  };
  static constexpr double kBusy = 0.5;
  static constexpr double kCalm = 0.2;
  static constexpr std::int64_t kCalmNs = 2'000'000'000;
  static constexpr std::int64_t kToFreeNs = 200'000'000;

  /// `busy` is the share of the busiest executor lately. Each busy time is followed by one
  /// ask_tasks and one trim.
  Now look(double busy, std::int64_t now_ns) {
    if (trim_at_ns_ && now_ns >= *trim_at_ns_) {
      trim_at_ns_.reset();
      return Now::trim;
    }
    was_busy_ |= busy > kBusy;
    if (!was_busy_ || busy > kCalm) {
      calm_since_ns_.reset();
      return Now::nothing;
    }
    if (!calm_since_ns_) calm_since_ns_ = now_ns;
    if (now_ns - *calm_since_ns_ < kCalmNs) return Now::nothing;
    was_busy_ = false;
    calm_since_ns_.reset();
    trim_at_ns_ = now_ns + kToFreeNs;
    return Now::ask_tasks;
  }

 private:
  bool was_busy_ = false;
  std::optional<std::int64_t> calm_since_ns_;
  std::optional<std::int64_t> trim_at_ns_;
};

}  // namespace millrace::detail
