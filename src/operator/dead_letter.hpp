// DeadLetter: what was set aside, as the record of a stream.
#pragma once

#include <cstdint>
#include <string>

namespace millrace {

/// A record that a component could not handle, or a row that it could not make. Owns its texts.
struct DeadLetter {
  std::string component;
  std::string reason;  ///< what was thrown, or why a line does not fit its record
  std::string where;   ///< "file:line", a window, or ""
  std::string record;  ///< the record as JSON, or the start of the line
};

namespace detail {
/// The output port of every component that its dead letters leave by.
inline constexpr std::uint32_t kErrorsPort = 0xffffffff;
}  // namespace detail
}  // namespace millrace
