// Positions that are a number: of sources whose partitions count their records.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/partition_turns.hpp"
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

/// Of a task's partitions out of `partitions`, whose names are their numbers over all tasks.
inline void save_counts(const PartitionTurns& turns, std::span<const std::uint64_t> counts,
                        std::size_t partitions, std::vector<SourcePosition>& to) {
  for (std::uint32_t local = 0; local < turns.count(); ++local) {
    to.push_back(counted_position(
        std::to_string(turns.global(local)) + " of " + std::to_string(partitions), counts[local]));
  }
}
/// The same way back. Errors: 3003; 4001 when there were another number of partitions, whose
/// records were others.
inline Status take_counts(std::span<const SourcePosition> positions, const PartitionTurns& turns,
                          std::size_t partitions, std::vector<std::uint64_t>& counts) {
  for (std::uint32_t local = 0; local < turns.count(); ++local) {
    const auto count = counted_in(
        positions, std::to_string(turns.global(local)) + " of " + std::to_string(partitions));
    if (!count) return count.error();
    if (!*count && !positions.empty()) {
      return {Code::source_failed,
              "the source was read as partition \"" + positions.front().partition +
                  "\" and others, and has " + std::to_string(partitions) +
                  " partitions now: give it as many as before, or begin anew with another state "
                  "folder"};
    }
    counts[local] = count->value_or(0);
  }
  return {};
}

}  // namespace millrace::detail
