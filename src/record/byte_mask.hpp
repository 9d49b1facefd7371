// byte_mask: which of 64 bytes are a given one, by SSE2 where there is SSE2.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace millrace::detail {

/// Bytes behind the end of a text that a scan by masks may read; their values mean nothing.
inline constexpr std::size_t kScanPaddingBytes = 64;

#if defined(__SSE2__)
/// Bit i is set when at[i] is `wanted`, for 64 bytes.
inline std::uint64_t byte_mask(const char* at, char wanted) {
  const __m128i pattern = _mm_set1_epi8(wanted);
  std::uint64_t mask = 0;
  for (int part = 0; part < 4; ++part) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * part));
    const auto bits = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, pattern)));
    mask |= static_cast<std::uint64_t>(bits) << (16 * part);
  }
  return mask;
}
/// Bit i is set when at[i] is not ASCII.
inline std::uint64_t high_mask(const char* at) {
  std::uint64_t mask = 0;
  for (int part = 0; part < 4; ++part) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * part));
    mask |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(bytes)))
            << (16 * part);
  }
  return mask;
}
#else
inline std::uint64_t high_mask(const char* at) {
  std::uint64_t mask = 0;
  for (int i = 0; i < 64; ++i) mask |= std::uint64_t{at[i] < 0} << i;
  return mask;
}
inline std::uint64_t byte_mask(const char* at, char wanted) {
  std::uint64_t mask = 0;
  for (int i = 0; i < 64; ++i) mask |= std::uint64_t{at[i] == wanted} << i;
  return mask;
}
#endif

/// `mask` without the bits of bytes at or behind `to`.
inline std::uint64_t bits_before(std::uint64_t mask, const char* from, const char* to) {
  return to - from < 64 ? mask & ((std::uint64_t{1} << (to - from)) - 1) : mask;
}

}  // namespace millrace::detail
