// aggregated(): what an aggregate gives for records, without an engine.
#pragma once

#include <vector>

namespace millrace::detail {

/// The aggregate of `readings`, added one by one, or each alone and then merged.
template <class Spec, class Reading>
auto aggregated(const Spec& spec, const std::vector<Reading>& readings, bool merged = false) {
  const auto kernel = spec.template kernel<Reading>();
  auto acc = kernel.init();
  for (const Reading& reading : readings) {
    if (merged) {
      auto one = kernel.init();
      kernel.put(one, kernel.take(reading, {}));
      kernel.merge(acc, one);
    } else {
      kernel.put(acc, kernel.take(reading, {}));
    }
  }
  return kernel.result(acc);
}

}  // namespace millrace::detail
