// Small text helpers for messages: did-you-mean and JSON string escaping.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace millrace::detail {

/// The candidate nearest to `word` by edit distance (at most a third of its length, at least 1), or
/// "".
std::string nearest_word(std::string_view word, std::span<const std::string> candidates);

/// True when `text` is well-formed UTF-8.
bool valid_utf8(std::string_view text);

/// Of the ten of ASCII.
constexpr bool is_digit(char c) { return static_cast<unsigned char>(c - '0') <= 9; }

/// Appends `text` as a JSON string with quotes; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// "key" in the two spellings that match in JSON: is_robot and isRobot compare equal.
bool same_field_name(std::string_view a, std::string_view b);

/// A number of bytes as people write it: "1048576", "512M", "4G", "1.5 GiB"; K, M, G and T are
/// powers of 1024, in either case, with or without B or iB behind. nullopt when it is not one, or
/// too large.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

}  // namespace millrace::detail
