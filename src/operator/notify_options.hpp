// NotifyOptions: how often somebody is told, as data.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.hpp"
#include "base/time.hpp"

namespace millrace {

/// At most so many notices in any span of event time, (time - per, time].
struct NoticeCap {
  std::uint32_t notices = 0;  ///< 0: no cap; of a key that has one 8 bytes each are kept
  Duration per{0};
};

/// When the records of a group become a notice. All spans are of event time.
struct NotifyOptions {
  Duration cool_down{1};  ///< so long none follows a notice; what comes is held back. At least 1 us
  Duration group_wait{0};  ///< so long the first record of a quiet group waits for others
  NoticeCap cap = {};      ///< of all notices of the group
};

namespace detail {

/// 2010 for spans below 0, a cool-down of 0, and a cap without a span or without a number.
Status validate(const NotifyOptions& options);
/// "cool-down 5min, group wait 10s, at most 20 per 1h", without what is not asked for.
std::string to_string(const NotifyOptions& options);

}  // namespace detail
}  // namespace millrace
