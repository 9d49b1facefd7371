// ReplayRange: the part of its input that a run reads, by time or offset.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.hpp"

namespace millrace::detail {

/// A place in the input as people give it.
struct ReplayBound {
  enum class Kind { none, earliest, latest, offset, time };
  Kind kind = Kind::none;
  std::uint64_t offset = 0;  ///< of Kind::offset: in each partition
  Time time = 0;             ///< of Kind::time: of the record itself

  bool given() const { return kind != Kind::none; }
  /// Only what numbers its records has such a place.
  bool needs_offsets() const { return kind == Kind::latest || kind == Kind::offset; }
};

/// "earliest", "latest", an offset, or a time as ISO 8601; nullopt for anything else, "" included.
std::optional<ReplayBound> parse_replay_bound(std::string_view text);

/// [from, until): a record at `from` belongs to it, one at `until` does not.
struct ReplayRange {
  ReplayBound from;
  ReplayBound until;

  bool given() const { return from.given() || until.given(); }
  /// The bounds of event times; kTimeMin and kTimeMax where there are none.
  Time from_time() const { return from.kind == ReplayBound::Kind::time ? from.time : kTimeMin; }
  Time until_time() const { return until.kind == ReplayBound::Kind::time ? until.time : kTimeMax; }
};

}  // namespace millrace::detail
