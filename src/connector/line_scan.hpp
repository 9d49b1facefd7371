// Where lines end: the scan for '\n', 64 bytes at a time, and the one that knows quotes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "record/byte_mask.hpp"

namespace millrace::detail {

/// Calls take(at) for each '\n' in [from, to) until it returns false.
template <class Byte, class Take>
inline void for_each_newline(Byte* from, Byte* to, Take&& take) {
  for (; from < to; from += 64) {
    std::uint64_t mask = bits_before(byte_mask(from, '\n'), from, to);
    for (; mask != 0; mask &= mask - 1) {
      if (!take(from + std::countr_zero(mask))) return;
    }
  }
}

/// How quotes hide line ends (RFC 4180). A quote opens at the begin of a cell only; inside, two of
/// them are one that belongs to the text. Anywhere else a quote is an ordinary byte.
struct QuoteRule {
  char quote = '\0';  ///< NUL: none
  char separator = ',';
};

/// What a scan for line ends knows between two calls.
struct QuoteState {
  bool inside = false;
  bool closed_before = false;  ///< the last byte scanned is a closing quote
  bool hid_newlines = false;   ///< a '\n' inside quotes was met since somebody cleared this
};

/// Calls take(at) for each '\n' in [from, to) outside of quotes until it returns false. `line` is
/// where the line begins that the scan is in; take() moves it on.
template <class Take>
inline void for_each_newline(char* from, char* to, char* const& line, const QuoteRule& rule,
                             QuoteState& state, Take&& take) {
  const char* closed = state.closed_before ? from - 1 : nullptr;
  for (; from < to; from += 64) {
    const std::uint64_t newlines = bits_before(byte_mask(from, '\n'), from, to);
    const std::uint64_t quotes = bits_before(byte_mask(from, rule.quote), from, to);
    for (std::uint64_t mask = newlines | quotes; mask != 0; mask &= mask - 1) {
      char* const at = from + std::countr_zero(mask);
      if (*at == '\n') {
        state.hid_newlines |= state.inside;
        if (!state.inside && !take(at)) return;
      } else if (state.inside) {
        state.inside = false;
        closed = at;
      } else {
        state.inside = at == line || at[-1] == rule.separator || at - 1 == closed;
      }
    }
  }
  state.closed_before = closed != nullptr && closed == to - 1;
}

}  // namespace millrace::detail
