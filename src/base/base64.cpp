// Base64 by tables, three bytes for four letters.
#include "base/base64.hpp"

#include <array>
#include <cstdint>

namespace millrace::detail {
namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoLetter = 0xFF;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoLetter);
  for (std::size_t at = 0; at < kLetters.size(); ++at) {
    values[static_cast<unsigned char>(kLetters[at])] = static_cast<std::uint8_t>(at);
  }
  return values;
}();

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0;
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
  const std::size_t before = out.size();
  out.resize(before + (bytes.size() + 2) / 3 * 4);
  char* to = out.data() + before;
  for (std::size_t at = 0; at < bytes.size(); at += 3, to += 4) {
    const std::uint32_t word =
        byte_at(bytes, at) << 16 | byte_at(bytes, at + 1) << 8 | byte_at(bytes, at + 2);
    to[0] = kLetters[word >> 18];
    to[1] = kLetters[word >> 12 & 63];
    to[2] = at + 1 < bytes.size() ? kLetters[word >> 6 & 63] : '=';
    to[3] = at + 2 < bytes.size() ? kLetters[word & 63] : '=';
  }
}

std::optional<std::size_t> decode_base64(std::string_view text, char* out) {
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::size_t written = 0;
  std::uint32_t word = 0;
  unsigned bits = 0;
  for (const char letter : text) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(letter)];
    if (value == kNoLetter) return std::nullopt;
    word = word << 6 | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out[written++] = static_cast<char>(word >> bits & 0xFF);
  }
  return written;
}

}  // namespace millrace::detail
