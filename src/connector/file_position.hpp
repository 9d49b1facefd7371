// FilePosition: how far one file of a source was read, as a checkpoint keeps it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_codec.hpp"
#include "connector/counted_position.hpp"
#include "connector/line_input.hpp"
#include "operator/source.hpp"

namespace millrace::detail {

struct FilePosition {
  std::uint32_t number = 0;  ///< of the partition, over all tasks
  bool ended = false;
  LinePlace place = {};
  std::string note = {};  ///< of the format: the header, say

  SourcePosition spelled(const std::string& path) const {
    std::string bytes(1, kVersion);
    for (const std::uint64_t value :
         {std::uint64_t{number}, std::uint64_t{ended}, std::uint64_t{place.lap}, place.lines,
          place.input.offset, place.input.head_bytes, std::uint64_t{place.input.head_crc}}) {
      put_varint(bytes, value);
    }
    return {path, bytes + note};
  }
  /// Errors: 3003.
  static Result<FilePosition> read(const SourcePosition& from) {
    BytesCursor cursor(from.bytes);
    const bool known = cursor.take(1) == std::string_view(&kVersion, 1);
    FilePosition read;
    read.number = static_cast<std::uint32_t>(cursor.varint());
    read.ended = cursor.varint() != 0;
    read.place.lap = static_cast<std::uint32_t>(cursor.varint());
    read.place.lines = cursor.varint();
    read.place.input.offset = cursor.varint();
    read.place.input.head_bytes = cursor.varint();
    read.place.input.head_crc = static_cast<std::uint32_t>(cursor.varint());
    read.note = cursor.rest();
    if (known && cursor.ok()) return read;
    return unreadable_position(from);
  }

 private:
  static constexpr char kVersion = 1;
};

}  // namespace millrace::detail
