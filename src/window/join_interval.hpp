// JoinInterval: how far apart in event time the two records of a pair may be.
#pragma once

#include <string>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace {

/// The right record's time is in [left's - before, left's + after]; both may be negative.
struct JoinInterval {
  Duration before{0};
  Duration after{0};
  bool exclusive_lower = false;  ///< exactly `before` is out
  bool exclusive_upper = false;  ///< exactly `after` is out
  Duration lateness{0};          ///< how far behind its watermark a record may still be

  /// Internal: 2010 where no pair can be, or the lateness is negative.
  Status validate() const;
  /// Internal: "within(5s, 1min)", "within(0, 1h).exclusive_upper().allowed_lateness(10s)".
  std::string to_string() const;

  /// Internal: the first and last time of a partner of a record of that side (0: left) and time.
  Time first_partner(int side, Time time) const { return saturating_add(time, -back(side)); }
  Time last_partner(int side, Time time) const { return saturating_add(time, back(1 - side)); }
  /// Internal: when the watermark has passed it, no partner of such a record comes any more.
  Time closes(int side, Time time) const {
    return saturating_add(last_partner(side, time), lateness.count());
  }
  /// Internal: all records up to that time are there at the watermark, late ones too.
  Time complete(Time watermark) const {
    if (watermark == kTimeMax) return watermark;
    return saturating_add(saturating_add(watermark, -lateness.count()), -1);
  }
  /// Internal: how long after its time a record may wait for partners, in time of the watermark.
  std::int64_t wait_us(int side) const {
    return saturating_add(std::max<std::int64_t>(0, back(1 - side)), lateness.count());
  }

 private:
  /// How far a partner may lie before a record of that side, inclusive.
  std::int64_t back(int side) const {
    return side == 0 ? before.count() - (exclusive_lower ? 1 : 0)
                     : after.count() - (exclusive_upper ? 1 : 0);
  }
};

}  // namespace millrace
