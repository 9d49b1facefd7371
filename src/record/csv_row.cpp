// The scan for separators, and the walk where there are quotes.
#include "record/csv_row.hpp"

#include <cstring>

#include "record/byte_mask.hpp"

namespace millrace::detail {

const char* CsvRow::split(std::string_view line) {
  line_ = line;
  count_ = 0;
  const char* const begin = line.data();
  const char* const end = begin + line.size();
  std::uint64_t quotes = 0;
  std::uint64_t high = 0;
  for (const char* at = begin; at < end; at += 64) {
    std::uint64_t mask = bits_before(byte_mask(at, dialect_.separator), at, end);
    quotes |= bits_before(byte_mask(at, dialect_.quote), at, end);
    high |= bits_before(high_mask(at), at, end);
    make_room();
    const auto base = static_cast<std::uint32_t>(at - begin);
    for (; mask != 0; mask &= mask - 1) {
      ends_[count_++] = base + static_cast<std::uint32_t>(std::countr_zero(mask));
    }
  }
  is_ascii_ = high == 0;
  has_quotes_ = quotes != 0 && dialect_.quote != '\0';
  if (has_quotes_) return split_quoted();
  make_room();
  add(end);
  return nullptr;
}

const char* CsvRow::split_quoted() {
  count_ = 0;
  const char* at = line_.data();
  const char* const end = at + line_.size();
  const auto find = [end](const char* from, char wanted) {
    const void* found = std::memchr(from, wanted, static_cast<std::size_t>(end - from));
    return found != nullptr ? static_cast<const char*>(found) : end;
  };
  for (;; ++at) {
    if (at != end && *at == dialect_.quote) {
      for (at = find(at + 1, dialect_.quote);; at = find(at + 2, dialect_.quote)) {
        if (at == end) return "a quote opens a text that nothing closes";
        if (end - at < 2 || at[1] != dialect_.quote) break;
      }
      ++at;
      if (at != end && *at != dialect_.separator) {
        return "text stands between a closing quote and the next separator; double the quotes "
               "inside a text";
      }
    } else {
      at = find(at, dialect_.separator);
    }
    make_room();
    add(at);
    if (at == end) return nullptr;
  }
}

}  // namespace millrace::detail
