// Reading an epoch of a state folder.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.hpp"
#include "checkpoint/checkpoint.hpp"

namespace millrace::apps {

/// The newest one that `folder` has, or where `epoch` is not 0 that one. A run may work with the
/// folder meanwhile. Errors: 4001 where there is none; 3003 where it is damaged.
Result<detail::EpochImage> read_epoch(const std::string& folder, std::uint64_t epoch);

}  // namespace millrace::apps
