// Kernels of the most frequent values: exact, and approximate in a fixed number of counters.
#pragma once

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "operator/collect_kernels.hpp"
#include "record/stored_value.hpp"
#include "state/distinct_sketch.hpp"
#include "state/space_saving.hpp"

namespace millrace {

/// A value of top_k or top_k_approx with how often it came. The true count is at most `count` and
/// at least `count` - `error`; of top_k `error` is 0.
template <class V>
struct Frequent {
  V value{};
  std::int64_t count = 0;
  std::int64_t error = 0;
};

namespace detail {

/// The same for equal values, well spread.
template <class V>
std::uint64_t spread_hash(const V& value) {
  if constexpr (TextValue<V>) {
    return mixed_hash(std::string_view(value));
  } else {
    return mixed_hash(word_of(value));
  }
}

struct SpreadHash {
  using is_transparent = void;
  template <class V>
  std::size_t operator()(const V& value) const {
    return spread_hash(value);
  }
};
/// One NaN, one zero.
struct SameValue {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    if constexpr (std::is_floating_point_v<A>) {
      if (std::isnan(a)) return std::isnan(b);
    }
    return a == b;
  }
};

/// Leaves the `k` most counted, of equal counts the lesser value first.
template <class V>
void keep_most_frequent(std::vector<Frequent<V>>& all, std::size_t k) {
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(k, all.size()));
  std::partial_sort(all.begin(), end, all.end(), [](const auto& a, const auto& b) {
    return a.count != b.count ? a.count > b.count : Ascending()(a.value, b.value);
  });
  all.erase(end, all.end());
}

/// What both kinds have in common.
template <class T, class F>
struct FrequentValues {
  using Taken = TakenOf<T, F>;
  using Inner = typename InnerOf<std::decay_t<Taken>>::type;
  static_assert(Orderable<Inner> && !std::is_same_v<Inner, bool>,
                "millrace: top_k needs values with an order: a number, an enum, a text, a "
                "Timestamp, or an optional of one of these");
  using Kept = Owned<Inner>;
  using Value = std::vector<Frequent<Kept>>;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = true;
  static constexpr bool kNothrow = kTakesNothrow<T, F>;
  static constexpr bool kOrdered = false;
};

/// The k most frequent values, exactly.
template <class T, class F>
struct TopValuesKernel : FrequentValues<T, F> {
  using Base = FrequentValues<T, F>;
  using typename Base::Kept;
  using typename Base::Taken;
  using typename Base::Value;
  using Acc = std::unordered_map<Kept, std::int64_t, SpreadHash, SameValue>;
  TopValuesKernel(std::size_t most, F function) : k(most), f(std::move(function)) {}

  Status problem() const { return check_most("top_k", k); }
  Acc init() const { return {}; }
  Taken take(const T& record, const Stamp&) const { return std::invoke(f, record); }
  void put(Acc& acc, const std::decay_t<Taken>& value) const {
    if_present(value, [&](const auto& present) { add(acc, present, 1); });
  }
  void merge(Acc& acc, const Acc& other) const {
    for (const auto& [value, count] : other) add(acc, value, count);
  }
  Value result(const Acc& acc) const {
    Value all;
    all.reserve(acc.size());
    for (const auto& [value, count] : acc) all.push_back({value, count, 0});
    keep_most_frequent(all, k);
    return all;
  }

  std::size_t k;
  F f;

 private:
  template <class V>
  static void add(Acc& acc, const V& value, std::int64_t count) {
    const auto known = acc.find(value);
    if (known != acc.end()) {
      known->second += count;
    } else {
      acc.emplace(canonical<Kept>(value), count);
    }
  }
};

struct TopOptions {
  std::size_t k;
  std::size_t counters;
};
/// 2010 unless 0 < k <= counters.
Status check_top(const TopOptions& options);

/// The k most frequent values, about, in a fixed number of counters; see SpaceSaving.
template <class T, class F>
struct TopValuesApproxKernel : FrequentValues<T, F> {
  using Base = FrequentValues<T, F>;
  using typename Base::Kept;
  using typename Base::Taken;
  using typename Base::Value;
  struct Acc {
    SpaceSaving sketch;
    std::vector<Kept> values;  ///< by the places of the sketch

    /// See StoresItself.
    static std::string stored_shape() {
      return "mostfrequent{" + millrace::detail::stored_shape<Kept>() + "}";
    }
    void store(std::string& out) const {
      sketch.store(out);
      for (const Kept& value : values) store_value(out, value);
    }
    bool load(BytesCursor& in) {
      if (!sketch.load(in)) return false;
      values.clear();
      for (std::size_t at = 0; at < sketch.counters().size(); ++at) {
        if (!load_value(in, values.emplace_back())) return false;
      }
      return true;
    }
    std::size_t heap_bytes() const { return sketch.heap_bytes() + acc_heap_bytes(values); }
  };
  TopValuesApproxKernel(TopOptions given, F function) : options(given), f(std::move(function)) {}

  Status problem() const { return check_top(options); }
  Acc init() const { return {SpaceSaving(options.counters), {}}; }
  Taken take(const T& record, const Stamp&) const { return std::invoke(f, record); }
  void put(Acc& acc, const std::decay_t<Taken>& value) const {
    if_present(value, [&acc](const auto& present) {
      const SpaceSaving::Place place = acc.sketch.add(spread_hash(present));
      if (!place.fresh) return;
      if (place.at == acc.values.size()) acc.values.emplace_back();
      acc.values[place.at] = canonical<Kept>(present);
    });
  }
  void merge(Acc& acc, const Acc& other) const {
    if (other.values.empty()) return;
    std::unordered_map<std::uint64_t, const Kept*> values;
    for (const Acc* each : {&std::as_const(acc), &other}) {
      for (std::size_t at = 0; at < each->values.size(); ++at) {
        values.emplace(each->sketch.counters()[at].hash, &each->values[at]);
      }
    }
    auto counters = joined(acc.sketch, other.sketch, options.counters);
    std::vector<Kept> kept;
    kept.reserve(counters.size());
    for (const auto& counter : counters) kept.push_back(*values.at(counter.hash));
    acc.sketch.replace(std::move(counters));
    acc.values = std::move(kept);
  }
  Value result(const Acc& acc) const {
    Value all;
    all.reserve(acc.values.size());
    for (std::size_t at = 0; at < acc.values.size(); ++at) {
      const SpaceSaving::Counter& counter = acc.sketch.counters()[at];
      all.push_back({acc.values[at], static_cast<std::int64_t>(counter.count),
                     static_cast<std::int64_t>(counter.error)});
    }
    keep_most_frequent(all, options.k);
    return all;
  }

  TopOptions options;
  F f;
};

}  // namespace detail
}  // namespace millrace
