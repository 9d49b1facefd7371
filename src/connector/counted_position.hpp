// Positions that are a number: of sources whose partitions count their records.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "operator/source.hpp"

namespace millrace::detail {

inline Status unreadable_position(const SourcePosition& position) {
  return {Code::state_unreadable, "the position of \"" + position.partition +
                                      "\" in the state folder cannot be read: it is damaged, or of "
                                      "a later version of Millrace; use that one"};
}

inline SourcePosition counted_position(std::string partition, std::uint64_t count) {
  return {std::move(partition), std::to_string(count)};
}

/// The number of that partition; nullopt: it has no position. Errors: 3003.
inline Result<std::optional<std::uint64_t>> counted_in(std::span<const SourcePosition> positions,
                                                       std::string_view partition) {
  for (const SourcePosition& position : positions) {
    if (position.partition != partition) continue;
    const std::string& text = position.bytes;
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size()) {
      return unreadable_position(position);
    }
    return std::optional(count);
  }
  return std::optional<std::uint64_t>();
}

}  // namespace millrace::detail
