// AsOfBounds: which record of the right side a left one is joined with as of its event time.
#pragma once

#include <optional>
#include <string>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace {

/// The newest right record that is not later; or, `nearest`, the nearest one in time.
struct AsOfBounds {
  std::optional<Duration> within = {};  ///< it is at most so far away; nullopt: however far
  bool nearest = false;                 ///< it may be later; needs `within`
  Duration lateness{0};                 ///< how far behind its watermark a record may still be

  /// Internal: 2010 where a span is negative or too long.
  Status validate() const;
  /// Internal: "as of", "as of, within(5s)", "nearest(5s).allowed_lateness(10s)".
  std::string to_string() const;

  /// Internal: at the watermark, what left records with an earlier time are joined with is known.
  Time floor(Time watermark) const {
    if (watermark == kTimeMax) return watermark;
    return saturating_add(watermark, -wait_us());
  }
  /// Internal: how long after its time a left record may wait, in time of the watermark.
  std::int64_t wait_us() const {
    return saturating_add(lateness.count(), nearest ? within->count() : 0);
  }
  /// Internal: a right record of that time is for no left record of a later time than this.
  Time last_use(Time right) const {
    return within ? saturating_add(right, within->count()) : kTimeMax;
  }
};

}  // namespace millrace
