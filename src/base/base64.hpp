// Base64 (RFC 4648, with padding): bytes as text in JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::detail {

/// Appends `bytes` in base64.
void append_base64(std::string& out, std::string_view bytes);

/// Bytes that `text` decodes to at most.
constexpr std::size_t base64_bytes_max(std::size_t text_bytes) { return (text_bytes + 3) / 4 * 3; }

/// Decodes `text` to `out`, which has room for base64_bytes_max(text.size()) bytes. Returns how
/// many were written; nullopt when it is not base64 (padding at the end may be missing).
std::optional<std::size_t> decode_base64(std::string_view text, char* out);

}  // namespace millrace::detail
