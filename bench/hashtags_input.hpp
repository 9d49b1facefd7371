// The input of `hashtags`: a text file of Zipf words and hashtags, made by a seeded generator.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::bench {

/// The path of a file of `lines` lines of 8 to 14 Zipf words with 0 to 3 hashtags of a Zipf(1.0)
/// dictionary of 50,000 between them (93 bytes a line on average). `wanted` names it; empty: one in
/// the folder for temporary files. Made when absent, with progress on standard error; the same
/// bytes on every machine. Throws std::runtime_error when it cannot be written.
std::string hashtags_input(const std::string& wanted, std::uint64_t lines);

}  // namespace millrace::bench
