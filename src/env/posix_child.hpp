// Child processes: what one prints, and what one is told.
#pragma once

#include <memory>
#include <string>

#include "env/env.hpp"

namespace millrace::detail {

/// See Peers::exec_read and Peers::exec_write.
Result<std::unique_ptr<ByteReader>> read_from_child(const std::string& command);
Result<std::unique_ptr<ByteWriter>> write_to_child(const std::string& command);

}  // namespace millrace::detail
