// Kernels that keep values: a list of the earliest, a set of the least.
#pragma once

#include <algorithm>
#include <set>
#include <vector>

#include "base/status.hpp"
#include "operator/value_kernels.hpp"

namespace millrace::detail {

/// 2010 unless an aggregate that keeps values may keep one.
Status check_most(const char* aggregate, std::size_t most);

/// A value as equal ones are kept: one NaN, one zero.
template <class Kept, class V>
Kept canonical(const V& value) {
  if constexpr (std::is_floating_point_v<V>) {
    if (std::isnan(value)) return std::numeric_limits<V>::quiet_NaN();
    return value == 0 ? V{0} : value;
  } else {
    return Kept(value);
  }
}

/// Ascending: numbers by size and NaN behind all, texts by their bytes.
struct Ascending {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    if constexpr (std::is_floating_point_v<A>) {
      if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
    }
    return a < b;
  }
};

/// The values of the earliest `most` records by event time, of equal times by arrival, in that
/// order; absent optionals are passed over. Cost: O(1) for a record behind all that are kept, else
/// up to O(most).
template <class T, class F>
struct ListKernel {
  using Taken = TakenOf<T, F>;
  using Kept = Owned<typename InnerOf<std::decay_t<Taken>>::type>;
  static_assert(!std::is_same_v<Kept, bool>,
                "millrace: list cannot hold a bool: give a function that returns an int");
  struct Item {
    Stamp stamp;
    Kept value;
    std::size_t heap_bytes() const
      requires kAccHoldsHeap<Kept>
    {
      return acc_heap_bytes(value);
    }
  };
  using Acc = std::vector<Item>;  ///< in order
  using Value = std::vector<Kept>;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = true;
  static constexpr bool kNothrow = kTakesNothrow<T, F>;
  static constexpr bool kOrdered = true;
  std::size_t most;
  F f;
  struct Stamped {
    Stamp stamp;
    Taken value;
  };
  Status problem() const { return check_most("list", most); }
  Acc init() const { return {}; }
  Stamped take(const T& record, const Stamp& stamp) const {
    return {stamp, std::invoke(f, record)};
  }
  void put(Acc& acc, const Stamped& one) const {
    if_present(one.value, [&](const auto& present) {
      const bool last = acc.empty() || !(one.stamp < acc.back().stamp);
      if (acc.size() >= most) {
        if (last) return;
        acc.pop_back();
      }
      const auto at =
          last ? acc.end() : std::upper_bound(acc.begin(), acc.end(), one.stamp, is_before);
      acc.insert(at, Item{one.stamp, Kept(present)});
    });
  }
  void merge(Acc& acc, const Acc& other) const {
    if (other.empty()) return;
    const auto middle = static_cast<std::ptrdiff_t>(acc.size());
    acc.insert(acc.end(), other.begin(), other.end());
    std::inplace_merge(acc.begin(), acc.begin() + middle, acc.end(),
                       [](const Item& a, const Item& b) { return a.stamp < b.stamp; });
    if (acc.size() > most) acc.erase(acc.begin() + static_cast<std::ptrdiff_t>(most), acc.end());
  }
  Value result(const Acc& acc) const {
    Value values;
    values.reserve(acc.size());
    for (const Item& item : acc) values.push_back(item.value);
    return values;
  }

 private:
  static bool is_before(const Stamp& stamp, const Item& item) { return stamp < item.stamp; }
};

/// The `most` least of the different values, ascending; absent optionals are passed over. Cost:
/// O(log most).
template <class T, class F>
struct SetKernel {
  using Taken = TakenOf<T, F>;
  using Inner = typename InnerOf<std::decay_t<Taken>>::type;
  static_assert(Orderable<Inner> && !std::is_same_v<Inner, bool>,
                "millrace: set needs values with an order: a number, an enum, a text, a Timestamp, "
                "or an optional of one of these");
  using Kept = Owned<Inner>;
  using Acc = std::set<Kept, Ascending>;
  using Value = std::vector<Kept>;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = true;
  static constexpr bool kNothrow = kTakesNothrow<T, F>;
  static constexpr bool kOrdered = false;
  std::size_t most;
  F f;
  Status problem() const { return check_most("set", most); }
  Acc init() const { return {}; }
  Taken take(const T& record, const Stamp&) const { return std::invoke(f, record); }
  void put(Acc& acc, const std::decay_t<Taken>& value) const {
    if_present(value, [&](const auto& present) { offer(acc, present); });
  }
  void merge(Acc& acc, const Acc& other) const {
    for (const Kept& value : other) offer(acc, value);
  }
  Value result(const Acc& acc) const { return {acc.begin(), acc.end()}; }

 private:
  template <class V>
  void offer(Acc& acc, const V& value) const {
    const bool full = acc.size() >= most;
    if (full && !Ascending()(value, *acc.rbegin())) return;
    if (acc.find(value) != acc.end()) return;
    acc.insert(canonical<Kept>(value));
    if (full) acc.erase(std::prev(acc.end()));
  }
};

}  // namespace millrace::detail
