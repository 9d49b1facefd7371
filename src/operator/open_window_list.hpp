// The windows that a task had open which emit more than once, as its image lists them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_codec.hpp"
#include "base/time.hpp"

namespace millrace::detail {

/// The part of the list. Cells of windows that it does not name are of such as have closed.
inline constexpr std::string_view kOpenWindows = "windows:open";

struct OpenWindowEntry {
  std::uint64_t number = 0;  ///< by which cells name it
  Time end = kTimeMin;
  Time next = kTimeMin;  ///< when it is to be looked at
};

inline void put_open_windows(std::string& out, const std::vector<OpenWindowEntry>& windows) {
  for (const OpenWindowEntry& window : windows) {
    put_varint(out, window.number);
    put_number(out, window.end);
    put_number(out, window.next);
  }
}

/// Up to the end of the bytes; nullopt: they do not fit.
inline std::optional<std::vector<OpenWindowEntry>> read_open_windows(BytesCursor in) {
  std::vector<OpenWindowEntry> windows;
  while (in.ok() && !in.rest().empty()) {
    OpenWindowEntry& window = windows.emplace_back();
    window.number = in.varint();
    window.end = in.number<Time>();
    window.next = in.number<Time>();
  }
  if (!in.ok()) return std::nullopt;
  return windows;
}

}  // namespace millrace::detail
