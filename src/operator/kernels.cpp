// What kernels say when an aggregate has no result.
#include "operator/kernels.hpp"

#include <stdexcept>

namespace millrace::detail {

void throw_sum_overflow(bool of_decimals) {
  if (of_decimals) {
    throw std::overflow_error(
        "the sum left the range of a Decimal, 64 bits of its last place: give the Decimal fewer "
        "places, or sum a double, as in "
        "sum([](const auto& record) { return record.price.to_double(); })");
  }
  throw std::overflow_error(
      "the sum left the range of 64-bit integers: sum a double instead, as in "
      "sum([](const auto& record) { return double(record.number); })");
}

std::string describe_window(Time start, Time end) {
  if (end == kTimeMax) return "";
  return "window [" + format_iso_time(start) + ", " + format_iso_time(end) + ")";
}

}  // namespace millrace::detail
