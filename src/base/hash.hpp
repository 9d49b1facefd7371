// 64-bit hashes of keys: fast, well spread in the low and the high bits, stable within a process
// version.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace millrace::detail {

inline constexpr std::uint64_t kHashSeed = 0x9e3779b97f4a7c15ull;

/// Folds the 128-bit product of two words (the mixing step of wyhash, Wang Yi 2019).
inline std::uint64_t fold_multiply(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// Hash of an integer: one multiplication (Fibonacci hashing, Knuth 6.4), high bits folded into the
/// low ones.
inline std::uint64_t hash_integer(std::uint64_t value) {
  const std::uint64_t product = value * kHashSeed;
  return product ^ (product >> 32);
}

inline std::uint64_t load_u64(const char* at) {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
inline std::uint64_t load_u32(const char* at) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// Hash of bytes (after wyhash): two multiplications up to 16 bytes, reads only inside the text.
inline std::uint64_t hash_bytes(std::string_view text) {
  constexpr std::uint64_t kA = 0xa0761d6478bd642full;
  constexpr std::uint64_t kB = 0xe7037ed1a0b428dbull;
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t state = kHashSeed ^ left;
  while (left > 16) {
    state = fold_multiply(load_u64(at) ^ kA, load_u64(at + 8) ^ state);
    at += 16;
    left -= 16;
  }
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  if (left >= 8) {
    low = load_u64(at);
    high = load_u64(at + left - 8);
  } else if (left >= 4) {
    low = load_u32(at);
    high = load_u32(at + left - 4);
  } else if (left > 0) {
    low = (static_cast<std::uint64_t>(static_cast<unsigned char>(at[0])) << 16) |
          (static_cast<std::uint64_t>(static_cast<unsigned char>(at[left >> 1])) << 8) |
          static_cast<unsigned char>(at[left - 1]);
  }
  return fold_multiply(low ^ kB ^ state, high ^ kA);
}

/// Joins the hashes of the members of a compound key; order matters.
inline std::uint64_t hash_combine(std::uint64_t left, std::uint64_t right) {
  return fold_multiply(left ^ 0x8ebc6af09c88c6e3ull, right ^ kHashSeed);
}

}  // namespace millrace::detail
