// Where decoded bytes are put.
#include "record/bytes_text.hpp"

#include <optional>

#include "base/base64.hpp"

namespace millrace::detail {

bool read_base64(std::string_view text, Arena& arena, Bytes& bytes) {
  const std::size_t room = base64_bytes_max(text.size());
  std::optional<std::size_t> size;
  if (room < kOwnBlockBytes) {
    char* const to = arena.allocate(room);
    size = decode_base64(text, to);
    bytes = Bytes::view_of({to, size.value_or(0)});
  } else {
    bytes = Bytes::make(room, [&](char* to) { size = decode_base64(text, to); });
    bytes.cut(size.value_or(0));
  }
  return size.has_value();
}

}  // namespace millrace::detail
