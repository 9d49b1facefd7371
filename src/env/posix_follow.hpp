// follow_file: the bytes of a log that grows, through its rotations.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "env/env.hpp"

namespace millrace::detail {

/// Reads `path` from its begin and then what is added to it. See Files::follow.
///
/// Renamed and made anew: the old file is read until nothing was added to it for `quiet` after the
/// new one was seen, for writers that notice late; then the new one from its begin. Emptied in
/// place: read from its begin again (what was written and emptied between two looks is lost, as
/// with every reader). A last line without end gets one at a rotation. The place of the file is
/// looked at every 20 ms. Errors: 4001 when there is no file at first. `clock` outlives the reader.
Result<std::unique_ptr<ByteReader>> follow_file(
    const std::string& path, Clock& clock,
    std::chrono::nanoseconds quiet = std::chrono::seconds(1));

}  // namespace millrace::detail
