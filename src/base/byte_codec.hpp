// Little-endian numbers in bytes: how the files of journals and checkpoints spell them.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace millrace::detail {

static_assert(std::endian::native == std::endian::little,
              "the files of journals and checkpoints are little-endian");

/// Appends a fixed-size number.
template <class N>
void put_number(std::string& out, N value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

/// Appends a number in 1 to 10 bytes, 7 bits each, the lowest first (LEB128).
inline void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

/// Its length and its bytes.
inline void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out.append(text);
}

/// Small numbers of either sign become small ones.
inline std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
inline std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

/// Reads what the functions above wrote. Any bytes may come: what does not fit makes `ok()` false,
/// for good, and gives zeros.
class BytesCursor {
 public:
  explicit BytesCursor(std::string_view bytes) : left_(bytes) {}

  bool ok() const { return ok_; }
  std::string_view rest() const { return left_; }

  template <class N>
  N number() {
    N value{};
    const std::string_view bytes = take(sizeof value);
    if (ok_) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (left_.empty()) break;
      const auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    ok_ = false;
    left_ = {};
    return 0;
  }
  std::string_view take(std::uint64_t count) {
    if (count > left_.size()) {
      ok_ = false;
      left_ = {};
      return {};
    }
    const std::string_view bytes = left_.substr(0, count);
    left_.remove_prefix(count);
    return bytes;
  }

 private:
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace millrace::detail
