// MR_CHECK: a broken invariant of the engine stops the process with its place and values, also in release.
#pragma once

#include <string_view>

namespace millrace::detail {

/// Logs "9001 broken invariant" with place, expression and note through stderr, then aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* expression, std::string_view note);

}  // namespace millrace::detail

/// Stops the process when `condition` is false: only for invariants of the engine, never for input or environment.
#define MR_CHECK(condition, note)                                                          \
  do {                                                                                     \
    if (!(condition)) [[unlikely]] {                                                       \
      ::millrace::detail::check_failed(__FILE__, __LINE__, #condition, note);              \
    }                                                                                      \
  } while (false)
