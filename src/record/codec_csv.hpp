// Lines of CSV into records: columns bound to members by name, cells read by plan.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "record/arena.hpp"
#include "record/csv_row.hpp"
#include "record/value_plan.hpp"

namespace millrace::detail {

/// Reads lines by plan. Not for several threads at a time.
class CsvReader {
 public:
  CsvReader(const ValuePlan& root, CsvDialect dialect, TimeUnit unit);
  CsvReader(CsvReader&&) noexcept;
  CsvReader& operator=(CsvReader&&) noexcept;
  ~CsvReader();

  bool bound() const;
  Status bind_header(std::string_view line, std::string_view path);
  Status bind_names(const std::vector<std::string>& names, std::string_view path);
  void bind_in_order();
  Decoded decode(std::string_view line, void* record, Arena& arena);
  const std::string& error() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Decodes lines of CSV (RFC 4180) into T, a struct or a scalar.
///
/// A column is bound to the member of its name, exactly or as snake_case = camelCase; members of a
/// nested struct are columns "outer.inner", or JSON in a column "outer". Columns without member are
/// skipped. A cell is read as its member's type: numbers as C++ writes them (spaces around them, a
/// sign and leading zeros are taken), bool as true, false, yes, no, 1 or 0 in any case, a timestamp
/// as ISO 8601 text (without zone: UTC) or a number since 1970, an interval as of parse_interval()
/// or in seconds, a decimal with no more places than its scale, an enum as the name of a value, a
/// list or map as JSON. A cell that is empty and not quoted empties an optional and a text, and is
/// an error for anything else. Numbers must fit their member. A row has as many cells as the
/// header, or, without header, at least one for each member.
///
/// Cost: no allocation once warm, except by std::string members. One thread at a time.
template <class T>
class CsvDecoder {
  static_assert(sizeof(RequireDescribed<T>) > 0);
  static_assert(!kIsTuple<T>,
                "millrace: CSV is decoded into a struct or a scalar, not into a pair or tuple");

 public:
  /// `unit` is what a number for a timestamp counts.
  explicit CsvDecoder(CsvDialect dialect = {}, TimeUnit unit = TimeUnit::milliseconds)
      : reader_(value_plan<T>(ScalarValue<T> ? "value" : "", 0), dialect, unit) {}

  /// Whether the columns are known; decode() needs that.
  bool bound() const { return reader_.bound(); }
  /// Binds columns by the names in a header line. Error 4006: a member that is no optional has no
  /// column; `path` is for the message.
  Status bind_header(std::string_view line, std::string_view path) {
    return reader_.bind_header(line, path);
  }
  /// As bind_header(), for an input without header whose columns are these.
  Status bind_names(const std::vector<std::string>& names, std::string_view path) {
    return reader_.bind_names(names, path);
  }
  /// The columns are the members in order of declaration; further ones are skipped.
  void bind_in_order() { reader_.bind_in_order(); }

  /// Reads one line without its end; CsvRow::kPaddingBytes behind it are readable. Texts without
  /// doubled quotes stay where they are, others go to `arena`. `out` was just made; it may be
  /// partly written when the line failed.
  Decoded decode(std::string_view line, T& out, Arena& arena) {
    return reader_.decode(line, &out, arena);
  }
  /// Why the last line failed: a sentence that names the field and what was found.
  const std::string& error() const { return reader_.error(); }

 private:
  CsvReader reader_;
};

}  // namespace millrace::detail
