// CsvRow: where the cells of a line of CSV lie.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "record/byte_mask.hpp"

namespace millrace::detail {

/// What separates cells and what may enclose them (RFC 4180).
struct CsvDialect {
  char separator = ',';
  char quote = '"';  ///< NUL: none
};

/// Splits lines into cells. One thread.
class CsvRow {
 public:
  /// Bytes behind a line that split() may read; their values mean nothing.
  static constexpr std::size_t kPaddingBytes = kScanPaddingBytes;

  explicit CsvRow(CsvDialect dialect) : dialect_(dialect) {}

  /// Finds the cells of `line`, which has no line end of its own. nullptr, or what is wrong with a
  /// quote in it. Cost: one scan of the line; a line with quotes is walked cell by cell.
  const char* split(std::string_view line);
  std::size_t size() const { return count_; }
  /// Cell `index` as it stands in the line, quotes included.
  std::string_view raw(std::size_t index) const {
    const std::uint32_t begin = index == 0 ? 0 : ends_[index - 1] + 1;
    return {line_.data() + begin, ends_[index] - begin};
  }
  /// Whether a quote opens the cell.
  bool quoted(std::string_view cell) const {
    return has_quotes_ && !cell.empty() && cell.front() == dialect_.quote;
  }
  /// What the quotes of a quoted cell enclose; doubled ones stand doubled still.
  static std::string_view inside(std::string_view cell) { return cell.substr(1, cell.size() - 2); }
  bool is_ascii() const { return is_ascii_; }
  const CsvDialect& dialect() const { return dialect_; }

 private:
  /// For the cells that 64 bytes can end.
  void make_room() {
    if (ends_.size() < count_ + 64) ends_.resize(2 * count_ + 64);
  }
  void add(const char* end) { ends_[count_++] = static_cast<std::uint32_t>(end - line_.data()); }
  const char* split_quoted();

  CsvDialect dialect_;
  std::string_view line_;
  std::vector<std::uint32_t> ends_;  // the first count_ are this line's
  std::size_t count_ = 0;
  bool has_quotes_ = false;
  bool is_ascii_ = true;
};

}  // namespace millrace::detail
