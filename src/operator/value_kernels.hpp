// Kernels over a value of each record: min, max, mean, distinct, first, last.
#pragma once

#include <cstring>
#include <string>
#include <tuple>

#include "operator/kernels.hpp"
#include "state/value_set.hpp"

namespace millrace::detail {

template <class V>
concept Orderable = Summable<V> || std::is_enum_v<V> || std::is_same_v<V, Timestamp> ||
                    std::is_same_v<V, std::string> || std::is_same_v<V, std::string_view>;

/// The least or the greatest value. A NaN among the values makes the result NaN, as IEEE 754's
/// minimum and maximum do; absent optionals are passed over.
template <class T, class F, bool kGreatest>
struct ExtremeKernel {
  using Taken = TakenOf<T, F>;
  using Inner = typename InnerOf<std::decay_t<Taken>>::type;
  static_assert(Orderable<Inner>,
                "millrace: min and max need values with an order: a number, an enum, a text, a "
                "Timestamp, or an optional of one of these");
  using Kept = Owned<Inner>;
  using Acc = std::optional<Kept>;
  using Value = ValueLike<Taken, Kept>;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = true;
  static constexpr bool kNothrow = kTakesNothrow<T, F>;
  static constexpr bool kOrdered = false;
  F f;
  Acc init() const { return {}; }
  Taken take(const T& record, const Stamp&) const { return std::invoke(f, record); }
  void put(Acc& acc, const std::decay_t<Taken>& value) const {
    if_present(value, [&acc](const auto& present) { offer(acc, present); });
  }
  void merge(Acc& acc, const Acc& other) const {
    if (other) offer(acc, *other);
  }
  Value result(const Acc& acc) const {
    if constexpr (kIsOptional<Value>) {
      return acc;
    } else {
      return *acc;
    }
  }

 private:
  template <class V>
  static void offer(Acc& acc, const V& value) {
    if (!acc || wins(value, *acc)) acc = Kept(value);
  }
  template <class V>
  static bool wins(const V& value, const Kept& best) {
    if constexpr (std::is_floating_point_v<V>) {
      if (std::isnan(value)) return true;
      if (value == best) return std::signbit(value) != kGreatest && std::signbit(best) == kGreatest;
    }
    return kGreatest ? best < value : value < best;
  }
};
template <class T, class F>
using MinKernel = ExtremeKernel<T, F, false>;
template <class T, class F>
using MaxKernel = ExtremeKernel<T, F, true>;

/// What a mean is made of. Integers, and the units of Decimals, are summed exactly in 128 bits.
template <class Total>
struct MeanParts {
  Total total{};
  double weight = 0;
};

/// The mean of a number, in double. Absent optionals are passed over.
template <class T, class F>
struct MeanKernel {
  using Taken = TakenOf<T, F>;
  using Number = typename InnerOf<std::decay_t<Taken>>::type;
  static_assert(
      Summable<Number>,
      "millrace: mean needs a number: give a numeric member or a function that returns one");
  __extension__ using Wide = __int128;
  using Acc = MeanParts<std::conditional_t<std::is_floating_point_v<Number>, double, Wide>>;
  using Value = ValueLike<Taken, double>;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = true;
  static constexpr bool kNothrow = kTakesNothrow<T, F>;
  static constexpr bool kOrdered = false;
  F f;
  Acc init() const { return {}; }
  Taken take(const T& record, const Stamp&) const { return std::invoke(f, record); }
  void put(Acc& acc, const std::decay_t<Taken>& number) const {
    if_present(number, [&acc](const Number& present) { add_number(acc, present); });
  }
  void merge(Acc& acc, const Acc& other) const {
    acc.total += other.total;
    acc.weight += other.weight;
  }
  Value result(const Acc& acc) const {
    if constexpr (kIsOptional<Value>) {
      if (acc.weight == 0) return {};
    }
    if constexpr (kIsDecimal<Number>) {
      return static_cast<double>(static_cast<long double>(acc.total) /
                                 (static_cast<long double>(acc.weight) * Number::kUnits));
    } else {
      return static_cast<double>(acc.total) / acc.weight;
    }
  }

 private:
  static void add_number(Acc& acc, Number number) {
    if constexpr (kIsDecimal<Number>) {
      acc.total += number.units;
    } else {
      acc.total += number;
    }
    acc.weight += 1;
  }
};

/// A number as a double.
template <class N>
double real_of(const N& number) {
  if constexpr (kIsDecimal<N>) {
    return number.to_double();
  } else {
    return static_cast<double>(number);
  }
}

/// The mean of a number weighted by another, in double: NaN where the weights sum to 0.
template <class T, class F, class W>
struct WeightedMeanKernel {
  using Number = std::decay_t<TakenOf<T, F>>;
  using Weight = std::decay_t<TakenOf<T, W>>;
  static_assert(Summable<Number> && Summable<Weight>,
                "millrace: mean(value, weight) needs two numbers: give numeric members or "
                "functions that return one");
  using Acc = MeanParts<double>;
  using Value = double;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = true;
  static constexpr bool kNothrow = kTakesNothrow<T, F> && kTakesNothrow<T, W>;
  static constexpr bool kOrdered = false;
  F f;
  W weight;
  Acc init() const { return {}; }
  Acc take(const T& record, const Stamp&) const {
    const double by = real_of(std::invoke(weight, record));
    return {real_of(std::invoke(f, record)) * by, by};
  }
  void put(Acc& acc, const Acc& one) const { merge(acc, one); }
  void merge(Acc& acc, const Acc& other) const {
    acc.total += other.total;
    acc.weight += other.weight;
  }
  Value result(const Acc& acc) const { return acc.total / acc.weight; }
};

/// A scalar as a word that is equal for equal values: one word for all NaN, one for both zeros.
template <class V>
std::uint64_t word_of(V value) {
  if constexpr (std::is_floating_point_v<V>) {
    if (std::isnan(value)) value = std::numeric_limits<V>::quiet_NaN();
    const double wide = value == 0 ? 0.0 : static_cast<double>(value);
    std::uint64_t word;
    std::memcpy(&word, &wide, sizeof word);
    return word;
  } else if constexpr (std::is_same_v<V, Timestamp>) {
    return static_cast<std::uint64_t>(value.micros);
  } else if constexpr (kIsDecimal<V>) {
    return static_cast<std::uint64_t>(value.units);
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

/// Appends a value so that different sequences of values of the same types give different bytes.
template <class V>
void append_bytes_of(std::string& bytes, const V& value) {
  if constexpr (kIsOptional<V>) {
    bytes += value ? '\1' : '\0';
    if (value) append_bytes_of(bytes, *value);
  } else {
    std::uint64_t word;
    if constexpr (TextValue<V>) {
      word = value.size();
    } else {
      word = word_of(value);
    }
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
    if constexpr (TextValue<V>) bytes.append(value);
  }
}

/// How many different values there are, exactly. An absent optional alone is none; among several
/// members it is a value. Memory: each value once a key and pane (8 bytes, or its text and 16, at
/// twice that).
template <class T, class... Fs>
struct DistinctKernel {
  static_assert((Orderable<typename InnerOf<std::decay_t<TakenOf<T, Fs>>>::type> && ...),
                "millrace: distinct counts values that can be keys: numbers, enums, texts, "
                "Timestamps, or optionals of these");
  static constexpr bool kSingle = sizeof...(Fs) == 1;
  using First = std::tuple_element_t<0, std::tuple<TakenOf<T, Fs>...>>;
  static constexpr bool kText = TextValue<typename InnerOf<std::decay_t<First>>::type>;
  static constexpr bool kWords = kSingle && !kText;
  /// Several members together are one text, made in the kernel's own scratch.
  using Taken = std::conditional_t<kSingle, First, std::string_view>;
  using Acc = std::conditional_t<kWords, WordSet, TextSet>;
  using Value = std::int64_t;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = true;
  static constexpr bool kNothrow = (kTakesNothrow<T, Fs> && ...);
  static constexpr bool kOrdered = false;

  explicit DistinctKernel(Fs... functions) : fs(std::move(functions)...) {}
  Acc init() const { return {}; }
  Taken take(const T& record, const Stamp&) const {
    if constexpr (kSingle) {
      return std::invoke(std::get<0>(fs), record);
    } else {
      scratch.clear();
      std::apply([&](const Fs&... f) { (append_bytes_of(scratch, std::invoke(f, record)), ...); },
                 fs);
      return scratch;
    }
  }
  void put(Acc& acc, const std::decay_t<Taken>& value) const {
    if_present(value, [&acc](const auto& present) { insert(acc, present); });
  }
  void merge(Acc& acc, const Acc& other) const { acc.merge(other); }
  Value result(const Acc& acc) const { return static_cast<Value>(acc.size()); }

  std::tuple<Fs...> fs;
  mutable std::string scratch;  ///< one task's: every task has a kernel of its own

 private:
  template <class V>
  static void insert(Acc& acc, const V& value) {
    if constexpr (kWords) {
      acc.insert(word_of(value));
    } else {
      acc.insert(value);
    }
  }
};

/// The value of the earliest or latest record by event time; of equal times, by arrival. Without
/// event time by the order in which records reach the task.
template <class T, class F, bool kLatest>
struct EndKernel {
  using Taken = TakenOf<T, F>;
  using Kept = Owned<Taken>;
  struct Acc {
    Stamp stamp;
    std::optional<Kept> value;
    std::size_t heap_bytes() const
      requires kAccHoldsHeap<Kept>
    {
      return acc_heap_bytes(value);
    }
  };
  using Value = Kept;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = true;
  static constexpr bool kNothrow = kTakesNothrow<T, F>;
  static constexpr bool kOrdered = true;
  F f;
  struct Stamped {
    Stamp stamp;
    Taken value;
  };
  Acc init() const { return {}; }
  Stamped take(const T& record, const Stamp& stamp) const {
    return {stamp, std::invoke(f, record)};
  }
  void put(Acc& acc, const Stamped& one) const {
    if (acc.value && !wins(one.stamp, acc.stamp)) return;
    acc.stamp = one.stamp;
    acc.value = kept(one.value);
  }
  void merge(Acc& acc, const Acc& other) const {
    if (other.value && (!acc.value || wins(other.stamp, acc.stamp))) acc = other;
  }
  Value result(const Acc& acc) const { return *acc.value; }

 private:
  static bool wins(const Stamp& stamp, const Stamp& best) {
    return kLatest ? !(stamp < best) : stamp < best;
  }
  template <class V>
  static Kept kept(const V& value) {
    if constexpr (std::is_same_v<V, std::optional<std::string_view>>) {
      return value ? Kept(std::string(*value)) : Kept();
    } else {
      return Kept(value);
    }
  }
};
template <class T, class F>
using FirstKernel = EndKernel<T, F, false>;
template <class T, class F>
using LastKernel = EndKernel<T, F, true>;

}  // namespace millrace::detail
