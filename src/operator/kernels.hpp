// Kernels of aggregates: what an accumulator is, how a record is added, how two are merged, what is
// emitted.
#pragma once

#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

namespace millrace::detail {

/// A kernel has: Acc, Value; init(), add(acc, record), merge(acc, acc) if kMerges, result(acc);
/// kNothrow when add cannot throw, so that no copy is needed to undo it.
struct CountKernel {
  using Acc = std::int64_t;
  using Value = std::int64_t;
  static constexpr bool kMerges = true;
  static constexpr bool kNothrow = true;
  Acc init() const { return 0; }
  template <class T>
  void add(Acc& acc, const T&) const {
    ++acc;
  }
  void merge(Acc& acc, const Acc& other) const { acc += other; }
  Value result(const Acc& acc) const { return acc; }
};

/// Sums a number of each record: integers in 64 bits (they wrap beyond), reals in double.
template <class T, class F>
struct SumKernel {
  using Number = std::decay_t<std::invoke_result_t<const F&, const T&>>;
  static_assert(
      std::is_arithmetic_v<Number>,
      "millrace: sum needs a number: give a numeric member or a function that returns one");
  using Acc = std::conditional_t<std::is_floating_point_v<Number>, double, std::int64_t>;
  using Value = Acc;
  static constexpr bool kMerges = true;
  static constexpr bool kNothrow =
      std::is_member_object_pointer_v<F> || std::is_nothrow_invocable_v<const F&, const T&>;
  F f;
  Acc init() const { return 0; }
  void add(Acc& acc, const T& record) const { add_number(acc, std::invoke(f, record)); }
  void merge(Acc& acc, const Acc& other) const { add_number(acc, other); }
  Value result(const Acc& acc) const { return acc; }

 private:
  template <class N>
  static void add_number(Acc& acc, N number) {
    if constexpr (std::is_integral_v<Acc>) {
      acc = static_cast<Acc>(static_cast<std::uint64_t>(acc) + static_cast<std::uint64_t>(number));
    } else {
      acc += static_cast<Acc>(number);
    }
  }
};

struct NoMerge {};

/// The user's own fold: add(acc, record) changes acc in place or returns the new one; merge joins
/// two.
template <class T, class A, class Add, class Merge>
struct FoldKernel {
  using Acc = A;
  using Value = A;
  static constexpr bool kMerges = !std::is_same_v<Merge, NoMerge>;
  static constexpr bool kNothrow = std::is_nothrow_invocable_v<const Add&, Acc&, const T&>;
  A initial;
  Add add_fn;
  Merge merge_fn;
  const Acc& init() const { return initial; }
  void add(Acc& acc, const T& record) const {
    if constexpr (std::is_void_v<std::invoke_result_t<const Add&, Acc&, const T&>>) {
      std::invoke(add_fn, acc, record);
    } else {
      acc = std::invoke(add_fn, acc, record);
    }
  }
  void merge(Acc& acc, const Acc& other) const {
    if constexpr (!kMerges) {
      (void)acc, (void)other;
    } else if constexpr (std::is_void_v<std::invoke_result_t<const Merge&, Acc&, const Acc&>>) {
      std::invoke(merge_fn, acc, other);
    } else {
      acc = std::invoke(merge_fn, acc, other);
    }
  }
  Value result(const Acc& acc) const { return acc; }
};

}  // namespace millrace::detail
