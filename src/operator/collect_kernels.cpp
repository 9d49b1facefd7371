// What is wrong with the options of aggregates that keep values.
#include "operator/collect_kernels.hpp"

#include <fmt/format.h>

namespace millrace::detail {

Status check_most(const char* aggregate, std::size_t most) {
  if (most > 0) return {};
  return {
      Code::parameter_invalid,
      fmt::format("{} keeps no value: give how many it may keep at most, 1 or more", aggregate)};
}

}  // namespace millrace::detail
