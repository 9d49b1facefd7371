// Reading a place in the input.
#include "operator/replay_range.hpp"

#include <charconv>

namespace millrace::detail {

std::optional<ReplayBound> parse_replay_bound(std::string_view text) {
  if (text == "earliest") return ReplayBound{ReplayBound::Kind::earliest};
  if (text == "latest") return ReplayBound{ReplayBound::Kind::latest};
  ReplayBound bound{ReplayBound::Kind::offset};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bound.offset);
  if (error == std::errc() && end == text.data() + text.size()) return bound;
  const auto time = parse_iso_time(text);
  if (!time) return std::nullopt;
  return ReplayBound{ReplayBound::Kind::time, 0, *time};
}

}  // namespace millrace::detail
