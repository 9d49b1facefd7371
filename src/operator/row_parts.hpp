// RowParts: several aggregates of rows, chosen when the program runs, side by side.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "operator/stored_accumulators.hpp"
#include "record/field_value.hpp"

namespace millrace::detail {

/// The results of several aggregates, in their order; a list as JSON text.
using RowValues = std::vector<Value>;

template <class Part>
struct RowPartAcc;
template <class... Kernels>
struct RowPartAcc<std::variant<Kernels...>> {
  using type = std::variant<typename Kernels::Acc...>;
};

/// `Part`: a variant of kernels. What does not depend on how they take records: one accumulator a
/// part, made, shown and stored one after the other.
template <class Part>
struct RowParts {
  using Acc = std::vector<typename RowPartAcc<Part>::type>;
  using Value = RowValues;

  std::vector<Part> parts;

  /// Calls use(kernel, index as a constant) for each part, with its number, while it gives true.
  template <class Use>
  bool each(Use&& use) const {
    for (std::size_t at = 0; at < parts.size(); ++at) {
      if (!with_index(parts[at].index(),
                      [&](auto index) { return use(std::get<index()>(parts[at]), index, at); }))
        return false;
    }
    return true;
  }

  Acc init() const {
    Acc acc;
    acc.reserve(parts.size());
    each([&](const auto& kernel, auto index, std::size_t) {
      acc.emplace_back(std::in_place_index<index()>, kernel.init());
      return true;
    });
    return acc;
  }
  RowValues result(const Acc& acc) const {
    RowValues values;
    values.reserve(parts.size());
    each([&](const auto& kernel, auto index, std::size_t at) {
      values.push_back(value_of(kernel.result(std::get<index()>(acc[at]))));
      return true;
    });
    return values;
  }
  static constexpr bool kStorable = true;
  std::string acc_shape() const {
    std::string shape = "several{";
    each([&](const auto& kernel, auto, std::size_t) {
      shape += shape_of(kernel) + ",";
      return true;
    });
    return shape + "}";
  }
  void store_acc(std::string& out, const Acc& acc) const {
    each([&](const auto& kernel, auto index, std::size_t at) {
      store_accumulator(kernel, out, std::get<index()>(acc[at]));
      return true;
    });
  }
  bool load_acc(BytesCursor& in, Acc& acc) const {
    return each([&](const auto& kernel, auto index, std::size_t at) {
      return load_accumulator(kernel, in, std::get<index()>(acc[at]));
    });
  }

 private:
  template <class Use>
  static bool with_index(std::size_t index, Use&& use) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      bool good = false;
      (void)((index == I ? (good = use(std::integral_constant<std::size_t, I>{}), true) : false) ||
             ...);
      return good;
    }(std::make_index_sequence<std::variant_size_v<Part>>{});
  }
};

}  // namespace millrace::detail
