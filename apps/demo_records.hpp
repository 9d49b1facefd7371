// The records of the demo: an edit as it stands in the file, and an edit with its kind.
#pragma once

#include <cstdint>
#include <string_view>
#include <tuple>

#include "millrace/millrace.hpp"

namespace millrace::apps {

/// A line of the carried file; the members that the demo does not need are left out.
struct Edit {
  Timestamp time;
  std::string_view channel;
  std::string_view page;
  std::string_view user;
  std::string_view name_space;
  bool is_robot = false;
  bool is_anonymous = false;
  std::int64_t delta = 0;
  std::int64_t added = 0;
  std::int64_t deleted = 0;

  static constexpr auto fields() { return std::tuple{field(&Edit::name_space, "namespace")}; }
};

enum class EditKind { people, anonymous, robots };

/// Edits by kind: what the busiest wikis are split in.
struct WikiCounts {
  std::int64_t edits = 0;
  std::int64_t people = 0;
  std::int64_t anonymous = 0;
  std::int64_t robots = 0;
};

/// What the oracle compares: edits and characters of a channel in five minutes.
struct ChannelStats {
  std::int64_t edits = 0;
  std::int64_t added = 0;
  std::int64_t deleted = 0;
};

/// A large removal, as the alert shows it.
struct Removal {
  Timestamp time;
  std::string_view channel;
  std::string_view page;
  std::string_view user;
  std::int64_t delta = 0;
};

}  // namespace millrace::apps
