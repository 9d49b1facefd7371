// The parts of a row's aggregate, one after the other.
#include "operator/row_kernels.hpp"

namespace millrace::detail {

template struct RowParts<RowPart>;

void RowKernel::add(Acc& acc, const RowRef& record, const Stamp& stamp) const {
  each([&](const auto& kernel, auto index, std::size_t at) {
    kernel.put(*std::get_if<index()>(&acc[at]), kernel.take(record, stamp));
    return true;
  });
}

void RowKernel::merge(Acc& acc, const Acc& other) const {
  each([&](const auto& kernel, auto index, std::size_t at) {
    kernel.merge(*std::get_if<index()>(&acc[at]), *std::get_if<index()>(&other[at]));
    return true;
  });
}

bool RowKernel::ordered() const {
  bool any = false;
  for (const RowPart& part : parts) {
    std::visit([&any](const auto& kernel) { any |= std::decay_t<decltype(kernel)>::kOrdered; },
               part);
  }
  return any;
}

}  // namespace millrace::detail
