// HeldAggregates: what the operators of a component hold by key and window, put together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/acc_heap.hpp"
#include "operator/keyed.hpp"
#include "operator/row_shape.hpp"

namespace millrace::detail {

/// An aggregate that is not final: of a key in a window, or (the widest bounds) of all so far.
struct HeldAggregate {
  std::string key;  ///< for people: see key_text
  Time start = kTimeMin;
  Time end = kTimeMax;
  std::vector<Value> values;  ///< a cell, of a struct one a member; none: its result is refused
};

/// What the accumulators of an operator hold on the heap, beside the tables that they lie in.
struct HeldWeight {
  bool can_be = false;  ///< their type can hold any
  std::size_t bytes = 0;
  std::size_t accumulators = 0;
};

/// Takes them from the tasks of a component, one after the other, each between two calls: what two
/// tasks hold of a key and window is joined, as it will be when it leaves them. One thread at a
/// time. Memory: an accumulator an entry.
class HeldAggregates {
 public:
  virtual ~HeldAggregates() = default;

  /// By window, then by key.
  std::vector<HeldAggregate> all() const;
  /// Where the results of the component leave it as something else: how they are shown there.
  void show_as(std::function<void(HeldAggregate&)> shown) { shown_ = std::move(shown); }

  /// Given in place of none: what is added is weighed, and nothing is kept of it.
  static std::unique_ptr<HeldAggregates> weighing();
  bool weighs() const { return weighs_; }
  const HeldWeight& weight() const { return weight_; }

 protected:
  explicit HeldAggregates(bool weighs) : weighs_(weighs) {}
  HeldWeight& weigh_into() { return weight_; }
  /// The number of a key and window; the next one where it is new.
  std::size_t number_of(Time start, Time end, std::string key);
  virtual std::vector<Value> values_of(std::size_t number) const = 0;

 private:
  struct Place {
    Time start;
    Time end;
    std::string key;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  class Weighing;

  bool weighs_;
  HeldWeight weight_;
  std::map<Place, std::size_t> numbers_;
  std::function<void(HeldAggregate&)> shown_;
};

/// Nothing was added yet: the first operator puts that of its kernel in its place.
class HeldAggregates::Weighing final : public HeldAggregates {
 public:
  Weighing() : HeldAggregates(true) {}

 private:
  std::vector<Value> values_of(std::size_t) const override { return {}; }
};
inline std::unique_ptr<HeldAggregates> HeldAggregates::weighing() {
  return std::make_unique<Weighing>();
}

/// An operator that holds aggregates by key and window. Between two calls, by its thread.
class HoldsAggregates {
 public:
  virtual ~HoldsAggregates() = default;
  /// Adds them to `held`, made by the first operator of the component that is asked. Changes
  /// nothing. O(entries).
  virtual void add_held(std::unique_ptr<HeldAggregates>& held) = 0;
  /// What accumulators that have come into memory since this was asked for hold on the heap, less
  /// what those held that went to disk. While they are weighed add_held() adds those in memory.
  virtual std::int64_t take_moved_heap() { return 0; }
};

/// The value of an aggregate as cells; none where it is of a type that cannot be shown.
template <class V>
std::vector<Value> cells_of(const V& value) {
  std::vector<Value> cells;
  [[maybe_unused]] const auto put = [&cells](const auto& one) { cells.push_back(value_of(one)); };
  if constexpr (std::is_same_v<V, std::vector<Value>>) {
    return value;  // of rows, which are cells
  } else if constexpr (Described<V>) {
    visit_part(value, put);
  } else if constexpr (kIsOptional<V> || kIsList<V>) {
    if constexpr (Described<typename V::value_type>) put(value);
  }
  return cells;
}

/// Those of one kernel. All operators of a component have the same.
template <class Kernel>
class HeldOf final : public HeldAggregates {
 public:
  using Acc = typename Kernel::Acc;

  HeldOf(const Kernel& kernel, bool weighs) : HeldAggregates(weighs), kernel_(kernel) {
    weigh_into().can_be = kAccHoldsHeap<Acc>;
  }
  /// What the operators before have put there, or the first.
  static HeldOf& in(std::unique_ptr<HeldAggregates>& held, const Kernel& kernel) {
    auto* const its = dynamic_cast<HeldOf*>(held.get());
    if (its != nullptr) return *its;
    auto made = std::make_unique<HeldOf>(kernel, held != nullptr && held->weighs());
    HeldOf& first = *made;
    held = std::move(made);
    return first;
  }

  template <class K>
  void add(const K& key, Time start, Time end, const Acc& acc) {
    if (weighs()) return weigh(acc);
    const std::size_t number = number_of(start, end, key_text(key));
    if constexpr (Kernel::kMerges) {
      if (number == held_.size()) held_.push_back(kernel_.init());
      kernel_.merge(held_[number], acc);
    } else {
      held_.push_back(result_of(acc));  // what cannot be joined lies in one place
    }
  }

  void weigh(const Acc& acc) {
    ++weigh_into().accumulators;
    weigh_into().bytes += acc_heap_bytes(acc);
  }

 private:
  std::vector<Value> values_of(std::size_t number) const override {
    if constexpr (Kernel::kMerges) {
      return result_of(held_[number]);
    } else {
      return held_[number];
    }
  }
  std::vector<Value> result_of(const Acc& acc) const {
    try {
      return cells_of(kernel_.result(acc));
    } catch (...) {
      return {};
    }
  }

  Kernel kernel_;
  std::deque<std::conditional_t<Kernel::kMerges, Acc, std::vector<Value>>> held_;
};

}  // namespace millrace::detail
