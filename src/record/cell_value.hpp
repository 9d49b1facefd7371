// The text of a cell as a number, a bool or a time.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.hpp"
#include "record/value_plan.hpp"

namespace millrace::detail {

enum class CellRead {
  ok,
  wrong,         ///< not a value of that kind
  out_of_range,  ///< a number that the kind cannot hold
};

/// Reads all of `text` into `slot`, the place of a value of an integer kind.
CellRead read_cell_integer(std::string_view text, ValueKind kind, void* slot);
/// Reads all of `text` as the nearest double; also "inf" and "nan".
CellRead read_cell_real(std::string_view text, double& value);
/// true, false, yes, no, t, f, y, n, 1 or 0 in any case.
CellRead read_cell_boolean(std::string_view text, bool& value);
/// An interval, a letter, a decimal or an enum.
CellRead read_cell_token(std::string_view text, const ValuePlan& plan, void* slot);
/// ISO 8601, or a number of `unit` since 1970, which may have a fraction.
CellRead read_cell_time(std::string_view text, TimeUnit unit, Time& micros);

}  // namespace millrace::detail
