// The version of Millrace.
#pragma once

namespace millrace::detail {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace millrace::detail
