// What is wrong with the options of sketches.
#include "operator/sketch_kernels.hpp"

#include <fmt/format.h>

namespace millrace::detail {

Status check_shares(const std::vector<double>& shares) {
  if (shares.empty()) {
    return {Code::parameter_invalid, "quantiles needs one share or more: {0.5, 0.99}"};
  }
  for (const double share : shares) {
    if (share >= 0 && share <= 1) continue;
    return {Code::parameter_invalid,
            fmt::format("a quantile is of a share of the values, 0 to 1; found {}: the 99th "
                        "percentile is 0.99",
                        share)};
  }
  return {};
}

Status check_top(const TopOptions& options) {
  if (Status none = check_most("top_k_approx", options.k); !none.ok()) return none;
  if (options.counters >= options.k) return {};
  return {Code::parameter_invalid,
          fmt::format("top_k_approx of {} values has {} counters: give more, ten times as many",
                      options.k, options.counters)};
}

}  // namespace millrace::detail
