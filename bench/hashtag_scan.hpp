// hashtags(line): the split function of workload W1, the same for the engine and for the limit.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace millrace::bench {

/// Where '#' and ' ' stand among up to 64 bytes: bit i is byte i; bits beyond the text are 0.
struct TextMasks {
  std::uint64_t hash = 0;
  std::uint64_t space = 0;
};

#if defined(__SSE2__)
inline std::uint64_t equal_bits(__m128i bytes, char wanted) {
  return static_cast<std::uint64_t>(
      static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted)))));
}
inline __m128i load_bytes(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
inline TextMasks masks_of_64(const char* at) {
  TextMasks masks;
  for (int part = 0; part < 4; ++part) {
    const __m128i bytes = load_bytes(at + 16 * part);
    masks.hash |= equal_bits(bytes, '#') << (16 * part);
    masks.space |= equal_bits(bytes, ' ') << (16 * part);
  }
  return masks;
}
#endif

/// Of a text shorter than 64 bytes; reads only inside it.
inline TextMasks masks_of_short(const char* text, std::size_t size) {
  TextMasks masks;
  std::size_t at = 0;
#if defined(__SSE2__)
  for (; at + 16 <= size; at += 16) {
    const __m128i bytes = load_bytes(text + at);
    masks.hash |= equal_bits(bytes, '#') << at;
    masks.space |= equal_bits(bytes, ' ') << at;
  }
  if (size >= 16 && at < size) {
    const __m128i bytes = load_bytes(text + size - 16);
    masks.hash |= equal_bits(bytes, '#') << (size - 16);
    masks.space |= equal_bits(bytes, ' ') << (size - 16);
    return masks;
  }
#endif
  for (; at < size; ++at) {
    masks.hash |= static_cast<std::uint64_t>(text[at] == '#') << at;
    masks.space |= static_cast<std::uint64_t>(text[at] == ' ') << at;
  }
  return masks;
}

/// The masks of line[base, base + 64), as far as the line goes.
inline TextMasks masks_at(std::string_view line, std::size_t base) {
#if defined(__SSE2__)
  if (base + 64 <= line.size()) return masks_of_64(line.data() + base);
  if (line.size() >= 64) {  // the last 64 bytes: those before `base` are shifted out
    const std::size_t before = base + 64 - line.size();
    TextMasks masks = masks_of_64(line.data() + line.size() - 64);
    masks.hash >>= before;
    masks.space >>= before;
    return masks;
  }
  return masks_of_short(line.data(), line.size());
#else
  return masks_of_short(line.data() + base, std::min<std::size_t>(line.size() - base, 64));
#endif
}

/// Calls take(tag) for each hashtag of a line: what follows a '#' at the begin of a word, up to the
/// next space. Tags are views into the line. O(bytes), 64 of them at a time.
template <class Take>
inline void hashtags(std::string_view line, Take&& take) {
  const char* open = nullptr;     // a tag that goes on behind the last 64 bytes
  std::uint64_t word_begins = 1;  // the first byte begins a word
  for (std::size_t base = 0; base < line.size(); base += 64) {
    const char* const text = line.data() + base;
    const TextMasks masks = masks_at(line, base);
    std::uint64_t starts = masks.hash & (masks.space << 1 | word_begins);
    word_begins = masks.space >> 63;
    if (open && masks.space != 0) {
      const char* const end = text + std::countr_zero(masks.space);
      if (end > open) take(std::string_view(open, static_cast<std::size_t>(end - open)));
      open = nullptr;
    }
    for (; starts != 0; starts &= starts - 1) {
      const int at = std::countr_zero(starts);
      const std::uint64_t rest = masks.space >> at;
      if (rest == 0) {
        open = text + at + 1;
        break;
      }
      const int size = std::countr_zero(rest) - 1;
      if (size > 0) take(std::string_view(text + at + 1, static_cast<std::size_t>(size)));
    }
  }
  const char* const end = line.data() + line.size();
  if (open && end > open) take(std::string_view(open, static_cast<std::size_t>(end - open)));
}

}  // namespace millrace::bench
