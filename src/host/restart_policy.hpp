// RestartPolicy: whether and when a topology that has failed is started again from its last epoch.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace::detail {

/// One of four, after Flink's: never; a fixed delay, so many times; a delay that doubles with each
/// failure and begins anew after a calm time; a fixed delay while failures stay rare. One thread.
class RestartPolicy {
 public:
  /// "none", "fixed:3,10s" (tries, delay), "exponential:1s,1min" (first and longest delay; calm is
  /// ten times the longest), "rate:3/5min,10s" (failures in a span, delay). Errors: 1002.
  static Result<RestartPolicy> of(std::string_view text);
  /// Never.
  RestartPolicy() = default;

  /// The run has failed at `now_ns`: the delay after which it is started again; nullopt: it is not.
  std::optional<Duration> failed(std::int64_t now_ns);

  /// True for failures that may be gone the next time; one of the topology, an option, of stored
  /// state or a bug of the engine comes again.
  static bool may_help(Code code);

 private:
  enum class Kind { none, fixed, exponential, rate };

  Kind kind_ = Kind::none;
  std::int64_t tries_ = 0;  ///< fixed: left; rate: in the span
  Duration delay_{0};       ///< exponential: the first
  Duration longest_{0};     ///< exponential
  Duration span_{0};        ///< rate
  Duration next_{0};        ///< exponential
  std::deque<std::int64_t> failures_ns_;
};

}  // namespace millrace::detail
