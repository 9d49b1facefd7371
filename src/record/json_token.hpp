// The leaves of JSON: numbers, escapes and words as the grammar of RFC 8259 has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::detail {

enum class NumberRead {
  ok,
  not_integer,   ///< a number with a fraction or an exponent where an integer is wanted
  out_of_range,  ///< a number that the wanted type cannot hold
  malformed,     ///< not a JSON number
};

/// Reads all of `token` as an integer in [min, max].
NumberRead read_json_integer(std::string_view token, std::int64_t min, std::int64_t max,
                             std::int64_t& value);
/// Reads all of `token` as an integer in [0, 2^64).
NumberRead read_json_unsigned(std::string_view token, std::uint64_t& value);
/// Reads all of `token` as the nearest double; out_of_range when it is beyond the greatest one.
NumberRead read_json_double(std::string_view token, double& value);

/// True when `token` is a JSON number.
bool is_json_number(std::string_view token);

/// Writes the text that the inside of a JSON string stands for to `out`, which has room for
/// raw.size() bytes. Returns its end, or nullptr when an escape is unknown, cut or half of a
/// surrogate pair.
char* unescape_json(std::string_view raw, char* out);

/// The token for a message: `text "abc"`, `number 12`, `true`; its first 40 bytes when it is long.
std::string describe_json_token(std::string_view token);

}  // namespace millrace::detail
