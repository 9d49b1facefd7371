// The parts of a row's aggregate, one after the other.
#include "operator/row_kernels.hpp"

#include "operator/stored_accumulators.hpp"

namespace millrace::detail {
namespace {

/// Calls use(constant) with the index of the part's kernel as a constant.
template <std::size_t... I, class Use>
void with_index(std::size_t index, std::index_sequence<I...>, Use&& use) {
  (void)((index == I ? (use(std::integral_constant<std::size_t, I>{}), true) : false) || ...);
}
template <class Use>
void with_index(std::size_t index, Use&& use) {
  with_index(index, std::make_index_sequence<std::variant_size_v<RowPart>>{},
             std::forward<Use>(use));
}

}  // namespace

RowKernel::Acc RowKernel::init() const {
  Acc acc;
  acc.reserve(parts.size());
  for (const RowPart& part : parts) {
    with_index(part.index(), [&](auto index) {
      acc.emplace_back(std::in_place_index<index()>, std::get<index()>(part).init());
    });
  }
  return acc;
}

void RowKernel::add(Acc& acc, const RowRef& record, const Stamp& stamp) const {
  for (std::size_t at = 0; at < parts.size(); ++at) {
    with_index(parts[at].index(), [&](auto index) {
      const auto& kernel = std::get<index()>(parts[at]);
      kernel.put(*std::get_if<index()>(&acc[at]), kernel.take(record, stamp));
    });
  }
}

void RowKernel::merge(Acc& acc, const Acc& other) const {
  for (std::size_t at = 0; at < parts.size(); ++at) {
    with_index(parts[at].index(), [&](auto index) {
      std::get<index()>(parts[at]).merge(*std::get_if<index()>(&acc[at]),
                                         *std::get_if<index()>(&other[at]));
    });
  }
}

RowValues RowKernel::result(const Acc& acc) const {
  RowValues values;
  values.reserve(parts.size());
  for (std::size_t at = 0; at < parts.size(); ++at) {
    with_index(parts[at].index(), [&](auto index) {
      values.push_back(value_of(std::get<index()>(parts[at]).result(std::get<index()>(acc[at]))));
    });
  }
  return values;
}

bool RowKernel::ordered() const {
  bool any = false;
  for (const RowPart& part : parts) {
    std::visit([&any](const auto& kernel) { any |= std::decay_t<decltype(kernel)>::kOrdered; },
               part);
  }
  return any;
}

std::string RowKernel::acc_shape() const {
  std::string shape = "several{";
  for (const RowPart& part : parts) {
    std::visit([&shape](const auto& kernel) { shape += shape_of(kernel) + ","; }, part);
  }
  return shape + "}";
}

void RowKernel::store_acc(std::string& out, const Acc& acc) const {
  for (std::size_t at = 0; at < parts.size(); ++at) {
    with_index(parts[at].index(), [&](auto index) {
      store_accumulator(std::get<index()>(parts[at]), out, std::get<index()>(acc[at]));
    });
  }
}

bool RowKernel::load_acc(BytesCursor& in, Acc& acc) const {
  bool fits = true;
  for (std::size_t at = 0; fits && at < parts.size(); ++at) {
    with_index(parts[at].index(), [&](auto index) {
      fits = load_accumulator(std::get<index()>(parts[at]), in, std::get<index()>(acc[at]));
    });
  }
  return fits;
}

}  // namespace millrace::detail
