// RowGap: the gap of a session of rows, one for all or of each row by a field.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/status.hpp"
#include "base/time.hpp"
#include "record/row_batch.hpp"
#include "record/row_schema.hpp"
#include "window/session.hpp"

namespace millrace::detail {

/// A field whose number, times a unit, is a row's gap.
struct GapField {
  std::string name;
  std::size_t column = 0;  ///< from bind() on
  bool real = false;
};

/// session(30min), or session(patience, 1s): as many seconds as the row's field `patience` says.
struct RowGap {
  Duration span = {};  ///< the gap; with a field its unit
  std::optional<GapField> field = {};

  /// Throws std::invalid_argument, which makes the row a dead letter, where the field is null. What
  /// is too long for a Duration lasts as long as one can.
  Duration operator()(const RowRef& row) const { return field ? of_field(row) : span; }
  /// Finds the field. Not empty: why it cannot be, in a sentence.
  std::string bind(const RowSchema& schema);
  /// 2005 for a gap or unit that is not longer than 0.
  Status validate() const;
  std::string to_string() const;

 private:
  Duration of_field(const RowRef& row) const;
};

}  // namespace millrace::detail
