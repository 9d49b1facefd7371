// Kernels of aggregates that take back: what a row of a table has added goes with it.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>

#include "operator/acc_heap.hpp"
#include "operator/number_kernels.hpp"

namespace millrace::detail {

/// Reals of which each can be taken back without a trace: exact, and what is not finite is counted.
struct RealTotal {
  ExactSum finite;
  std::int64_t nans = 0;
  std::int64_t above = 0;  ///< infinities
  std::int64_t below = 0;

  void change(double number, std::int64_t by) {
    if (std::isnan(number)) {
      nans += by;
    } else if (std::isinf(number)) {
      (number > 0 ? above : below) += by;
    } else {
      finite.add(by > 0 ? number : -number);
    }
  }
  double value() const {
    if (nans != 0 || (above != 0 && below != 0)) return std::numeric_limits<double>::quiet_NaN();
    if (above != 0) return std::numeric_limits<double>::infinity();
    if (below != 0) return -std::numeric_limits<double>::infinity();
    return finite.value();
  }
};

/// A number's total and how many there are: of integers, and of the units of Decimals, in 128 bits,
/// so that a sum that leaves 64 bits can come back.
template <class N>
struct NumberTotal {
  static constexpr bool kReal = std::is_floating_point_v<N>;
  std::conditional_t<kReal, RealTotal, Int128> total{};
  std::int64_t present = 0;

  void change(const N& number, std::int64_t by) {
    present += by;
    if constexpr (kReal) {
      total.change(number, by);
    } else if constexpr (kIsDecimal<N>) {
      total += by * Int128{number.units};
    } else {
      total += by * static_cast<Int128>(number);
    }
  }
};

/// What takes back what `Kernel` has taken: take(), put() and result() of a kernel, and
/// take_back(acc, taken). kCan: there is such a thing.
template <class Kernel>
struct Retracting {
  static constexpr bool kCan = false;
};

template <>
struct Retracting<CountKernel> : CountKernel {
  static constexpr bool kCan = true;
  explicit Retracting(const CountKernel&) {}
  void take_back(Acc& acc, Nothing) const { --acc; }
};

/// The parts that kernels of one value have in common.
template <class Kernel, class A>
struct RetractsValue {
  static constexpr bool kCan = true;
  using Taken = std::decay_t<typename Kernel::Taken>;
  using Acc = A;
  using Value = typename Kernel::Value;
  Kernel kernel;

  Acc init() const { return {}; }
  template <class T>
  Taken take(const T& record, const Stamp& stamp) const {
    return kernel.take(record, stamp);
  }
};

/// Reals are summed exactly, and rounded once.
template <class T, class F>
struct Retracting<SumKernel<T, F>>
    : RetractsValue<SumKernel<T, F>, NumberTotal<typename SumKernel<T, F>::Number>> {
  using Base = RetractsValue<SumKernel<T, F>, NumberTotal<typename SumKernel<T, F>::Number>>;
  using Number = typename SumKernel<T, F>::Number;
  using typename Base::Acc;
  using typename Base::Taken;
  using typename Base::Value;

  void put(Acc& acc, const Taken& taken) const {
    if_present(taken, [&acc](const Number& number) { acc.change(number, 1); });
  }
  void take_back(Acc& acc, const Taken& taken) const {
    if_present(taken, [&acc](const Number& number) { acc.change(number, -1); });
  }
  Value result(const Acc& acc) const {
    if constexpr (Acc::kReal) {
      return Value{acc.total.value()};
    } else {
      constexpr Int128 kMost = std::numeric_limits<std::int64_t>::max();
      if (acc.total > kMost || acc.total < -kMost - 1) throw_sum_overflow(kIsDecimal<Number>);
      return Value{static_cast<std::int64_t>(acc.total)};
    }
  }
};

template <class T, class F>
struct Retracting<MeanKernel<T, F>>
    : RetractsValue<MeanKernel<T, F>, NumberTotal<typename MeanKernel<T, F>::Number>> {
  using Base = RetractsValue<MeanKernel<T, F>, NumberTotal<typename MeanKernel<T, F>::Number>>;
  using Number = typename MeanKernel<T, F>::Number;
  using typename Base::Acc;
  using typename Base::Taken;
  using typename Base::Value;

  void put(Acc& acc, const Taken& taken) const {
    if_present(taken, [&acc](const Number& number) { acc.change(number, 1); });
  }
  void take_back(Acc& acc, const Taken& taken) const {
    if_present(taken, [&acc](const Number& number) { acc.change(number, -1); });
  }
  Value result(const Acc& acc) const {
    if constexpr (kIsOptional<Value>) {
      if (acc.present == 0) return {};
    }
    const auto present = static_cast<long double>(acc.present);
    if constexpr (Acc::kReal) {
      return acc.total.value() / static_cast<double>(present);
    } else if constexpr (kIsDecimal<Number>) {
      return static_cast<double>(static_cast<long double>(acc.total) / (present * Number::kUnits));
    } else {
      return static_cast<double>(static_cast<long double>(acc.total) / present);
    }
  }
};

/// How often each value is there, in their order. A NaN makes the result NaN; zeros of both signs
/// are one value, shown as the first of them.
template <class V>
struct ValueCounts {
  std::map<V, std::int64_t> of;
  std::int64_t nans = 0;
  std::size_t heap_bytes() const { return acc_heap_bytes(of); }
};

/// Cost: O(log values of the group). Memory: an entry for each different value of a group.
template <class T, class F, bool kGreatest>
struct Retracting<ExtremeKernel<T, F, kGreatest>>
    : RetractsValue<ExtremeKernel<T, F, kGreatest>,
                    ValueCounts<typename ExtremeKernel<T, F, kGreatest>::Kept>> {
  using Kernel = ExtremeKernel<T, F, kGreatest>;
  using Kept = typename Kernel::Kept;
  using Base = RetractsValue<Kernel, ValueCounts<Kept>>;
  using typename Base::Acc;
  using typename Base::Taken;
  using typename Base::Value;

  void put(Acc& acc, const Taken& taken) const {
    if_present(taken, [&acc](const auto& value) {
      if (is_nan(value)) {
        ++acc.nans;
      } else {
        ++acc.of[Kept(value)];
      }
    });
  }
  void take_back(Acc& acc, const Taken& taken) const {
    if_present(taken, [&acc](const auto& value) {
      if (is_nan(value)) {
        --acc.nans;
      } else if (const auto at = acc.of.find(Kept(value));
                 at != acc.of.end() && --at->second == 0) {
        acc.of.erase(at);
      }
    });
  }
  Value result(const Acc& acc) const {
    if constexpr (std::is_floating_point_v<Kept>) {
      if (acc.nans != 0) return std::numeric_limits<Kept>::quiet_NaN();
    }
    if constexpr (kIsOptional<Value>) {
      if (acc.of.empty()) return {};
    }
    return kGreatest ? acc.of.rbegin()->first : acc.of.begin()->first;
  }

 private:
  template <class V>
  static bool is_nan(const V& value) {
    if constexpr (std::is_floating_point_v<V>) {
      return std::isnan(value);
    } else {
      return false;
    }
  }
};

}  // namespace millrace::detail
