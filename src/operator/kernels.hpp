// Kernels of aggregates: what an accumulator is, what is taken of a record, how two are merged,
// what is emitted.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/decimal.hpp"
#include "operator/acc_heap.hpp"
#include "record/batch.hpp"
#include "record/schema.hpp"

namespace millrace::detail {

/// A kernel has Acc, Value, init(), result(acc) (which may throw: then there is no row), merge(acc,
/// acc) if kMerges, and one of two ways to add a record:
/// - kStaged: take(record, stamp) runs the user's code, may throw and changes nothing; what it
///   returns may borrow from the record; put(acc, taken) changes the accumulator and runs none.
/// - else add(acc, record, stamp), which leaves acc as it was when it throws.
/// kNothrow: adding throws nothing. kOrdered: it looks at the stamp.

/// When a record happened and where it stands among equal times; empty where nothing asks for it.
struct Stamp {
  Time time = 0;
  Arrival arrival;
  friend bool operator<(const Stamp& a, const Stamp& b) {
    return a.time != b.time ? a.time < b.time : a.arrival < b.arrival;
  }
};

/// What calling F with a record gives: a reference into the record, or a value.
template <class T, class F>
using TakenOf = std::invoke_result_t<const F&, const T&>;

template <class T, class F>
inline constexpr bool kTakesNothrow =
    std::is_member_object_pointer_v<F> || std::is_nothrow_invocable_v<const F&, const T&>;

/// A value without the optional around it.
template <class V>
struct InnerOf {
  using type = V;
};
template <class V>
struct InnerOf<std::optional<V>> {
  using type = V;
};

/// The value of type Of, or optional where what it is made of may be absent.
template <class Taken, class Of>
using ValueLike = std::conditional_t<kIsOptional<std::decay_t<Taken>>, std::optional<Of>, Of>;

/// Calls `use` with the value, or not at all where it is an absent optional.
template <class V, class Use>
void if_present(const V& value, Use&& use) {
  if constexpr (kIsOptional<V>) {
    if (value) use(*value);
  } else {
    use(value);
  }
}

/// What can be summed and averaged.
template <class V>
concept Summable = std::is_arithmetic_v<V> || kIsDecimal<V>;

/// How state holds a value: texts with their bytes.
template <class V>
struct OwnedOf {
  static_assert(
      !requires { requires Described<V> && Schema<V>::kBorrows; },
      "millrace: an aggregate's value outlives the records it is made of: hold std::string, not "
      "std::string_view");
  using type = V;
};
template <>
struct OwnedOf<std::string_view> {
  using type = std::string;
};
template <>
struct OwnedOf<const char*> {
  using type = std::string;
};
template <>
struct OwnedOf<std::optional<std::string_view>> {
  using type = std::optional<std::string>;
};
template <class V>
using Owned = typename OwnedOf<std::decay_t<V>>::type;

/// Ends the aggregate of a key: the row, or in a running sum the record, becomes a dead letter.
[[noreturn]] void throw_sum_overflow(bool of_decimals);

/// "window [2015-09-12T10:00:00Z, 2015-09-12T11:00:00Z)"; "" for everything.
std::string describe_window(Time start, Time end);

struct CountKernel {
  using Acc = std::int64_t;
  using Value = std::int64_t;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = true;
  static constexpr bool kNothrow = true;
  static constexpr bool kOrdered = false;
  struct Nothing {};
  Acc init() const { return 0; }
  template <class T>
  Nothing take(const T&, const Stamp&) const {
    return {};
  }
  void put(Acc& acc, Nothing) const { ++acc; }
  void merge(Acc& acc, const Acc& other) const { acc += other; }
  Value result(const Acc& acc) const { return acc; }
};

/// Sums a number of each record: integers in 64 bits, Decimals in 64 bits of their units, reals in
/// double. An integer or Decimal sum that leaves its range at any point stays refused: result()
/// throws. Absent optionals add nothing.
template <class T, class F>
struct SumKernel {
  using Taken = TakenOf<T, F>;
  using Number = typename InnerOf<std::decay_t<Taken>>::type;
  static_assert(
      Summable<Number>,
      "millrace: sum needs a number: give a numeric member or a function that returns one");
  using Acc = std::conditional_t<std::is_floating_point_v<Number>, double, std::int64_t>;
  using Value = std::conditional_t<kIsDecimal<Number>, Number, Acc>;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = true;
  static constexpr bool kNothrow = kTakesNothrow<T, F>;
  static constexpr bool kOrdered = false;
  F f;
  Acc init() const { return 0; }
  Taken take(const T& record, const Stamp&) const { return std::invoke(f, record); }
  void put(Acc& acc, const std::decay_t<Taken>& number) const {
    if_present(number, [&acc](const Number& present) { add_number(acc, present); });
  }
  void merge(Acc& acc, const Acc& other) const {
    if constexpr (std::is_integral_v<Acc>) {
      if (other == kRefused) {
        acc = kRefused;
        return;
      }
    }
    add_number(acc, other);
  }
  Value result(const Acc& acc) const {
    if constexpr (std::is_integral_v<Acc>) {
      if (acc == kRefused) throw_sum_overflow(kIsDecimal<Number>);
    }
    return Value{acc};
  }

 private:
  /// No Decimal has so many units. An integer sum of exactly this is refused too: the price of
  /// eight bytes a key instead of nine.
  static constexpr auto kRefused = std::numeric_limits<Acc>::min();

  template <class N>
  static void add_number(Acc& acc, N number) {
    if constexpr (kIsDecimal<N>) {
      add_number(acc, number.units);
    } else if constexpr (std::is_integral_v<Acc>) {
      Acc sum;
      const bool overflows = __builtin_add_overflow(acc, +number, &sum);
      acc = overflows || acc == kRefused ? kRefused : sum;
    } else {
      acc += static_cast<Acc>(number);
    }
  }
};

struct NoMerge {};

/// Calls the user's add, which changes the accumulator in place or returns the new one. Unless it
/// is noexcept it works on a copy, so that a throw leaves no trace.
template <class A, class T, class Add>
void add_strongly(A& acc, const T& record, const Add& add) {
  using Returned = std::invoke_result_t<const Add&, A&, const T&>;
  if constexpr (!std::is_void_v<Returned>) {
    acc = std::invoke(add, acc, record);
  } else if constexpr (std::is_nothrow_invocable_v<const Add&, A&, const T&>) {
    std::invoke(add, acc, record);
  } else {
    A copy = acc;
    std::invoke(add, copy, record);
    acc = std::move(copy);
  }
}

/// The user's own fold: add(acc, record) changes acc in place or returns the new one; merge joins
/// two.
template <class T, class A, class Add, class Merge>
struct FoldKernel {
  using Acc = A;
  using Value = A;
  static constexpr bool kMerges = !std::is_same_v<Merge, NoMerge>;
  static constexpr bool kStaged = false;
  static constexpr bool kNothrow = std::is_nothrow_invocable_v<const Add&, Acc&, const T&>;
  static constexpr bool kOrdered = false;
  A initial;
  Add add_fn;
  Merge merge_fn;
  const Acc& init() const { return initial; }
  void add(Acc& acc, const T& record, const Stamp&) const { add_strongly(acc, record, add_fn); }
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
