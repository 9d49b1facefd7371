// Bytes out of base64 text, for readers of JSON and CSV.
#pragma once

#include <string_view>

#include "record/arena.hpp"
#include "record/bytes.hpp"

namespace millrace::detail {

/// Decodes base64: short ones lie in `arena`, long ones in blocks of their own. False when `text`
/// is not base64; then `bytes` is empty.
bool read_base64(std::string_view text, Arena& arena, Bytes& bytes);

}  // namespace millrace::detail
