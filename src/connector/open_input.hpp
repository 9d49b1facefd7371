// open_input: opens a path for reading and unpacks it when its content is gzip.
#pragma once

#include <memory>
#include <string>

#include "env/env.hpp"

namespace millrace::detail {

/// Opens `path` ("-" is standard input). Whether it is gzip is decided by its first two bytes (1f
/// 8b), not by its name, at the first read: a pipe that holds nothing yet opens at once. Errors:
/// 4001 from opening; later, from read(), 4001 and 4004.
Result<std::unique_ptr<ByteReader>> open_input(Files& files, const std::string& path);

}  // namespace millrace::detail
