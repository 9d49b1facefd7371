// What messages say of a path and of an error of the system.
#pragma once

#include <string>
#include <string_view>

#include "base/status.hpp"

namespace millrace::detail {

/// The path in quotes; "-" is standard input or output.
std::string shown(const std::string& path, bool reading);
/// "PATH WHAT: the system's words; what to do".
Status failure(Code code, const std::string& path, bool reading, std::string_view what, int error);
/// A pattern that no file matches.
std::string no_match_sentence(const std::string& pattern);

}  // namespace millrace::detail
