// NewestKernel: any aggregate over the last records of each window alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

#include "operator/kernels.hpp"
#include "operator/stored_accumulators.hpp"
#include "window/record_windows.hpp"

namespace millrace::detail {

/// Keeps the last records by event time, of equal times by arrival, as an accumulator each: so
/// many, or those in (newest - span, newest]. What a pane or a task has let go, the window would
/// let go too, so they merge. A record that `Kernel` refuses is a dead letter also where it would
/// not have been kept.
///
/// Cost: O(1) amortized for a record in order, O(log n) and a move
/// of what is behind it for another; a merge for each that is kept where a window fires. Memory: an
/// accumulator for each that is kept, up to four times that while they are exchanged.
template <class T, class Kernel>
struct NewestKernel {
  static_assert(Kernel::kMerges,
                "millrace: the last records of a window are aggregated one by one and joined: give "
                "fold a merge as its third argument, or an aggregate of one's own a "
                "merge(Accumulator&, const Accumulator&) const");
  struct Item {
    Stamp stamp;
    typename Kernel::Acc one;
    std::size_t heap_bytes() const
      requires kAccHoldsHeap<typename Kernel::Acc>
    {
      return acc_heap_bytes(one);
    }
  };
  using Acc = std::vector<Item>;  ///< in order, with some before them that are out
  using Value = typename Kernel::Value;
  static constexpr bool kMerges = true;
  static constexpr bool kStaged = false;
  static constexpr bool kNothrow = Kernel::kNothrow;
  static constexpr bool kOrdered = true;
  Kernel kernel;
  HowFarBack last;

  Acc init() const { return {}; }
  void add(Acc& acc, const T& record, const Stamp& stamp) const {
    Item item{stamp, kernel.init()};
    if constexpr (Kernel::kStaged) {
      kernel.put(item.one, kernel.take(record, stamp));
    } else {
      kernel.add(item.one, record, stamp);
    }
    make_room(acc);
    const bool newest = acc.empty() || !(stamp < acc.back().stamp);
    acc.insert(newest ? acc.end() : std::upper_bound(acc.begin(), acc.end(), stamp, is_before),
               std::move(item));
  }
  void merge(Acc& acc, const Acc& other) const {
    const auto middle = static_cast<std::ptrdiff_t>(acc.size());
    acc.insert(acc.end(), other.begin(), other.end());
    std::inplace_merge(acc.begin(), acc.begin() + middle, acc.end(),
                       [](const Item& a, const Item& b) { return a.stamp < b.stamp; });
    acc.erase(acc.begin(), first_kept(acc));
  }
  Value result(const Acc& acc) const {
    typename Kernel::Acc all = kernel.init();
    for (auto at = first_kept(acc); at != acc.end(); ++at) kernel.merge(all, at->one);
    return kernel.result(all);
  }
  static constexpr bool kStorable = kStores<Kernel>;
  std::string acc_shape() const { return "newest{" + shape_of(kernel) + "}"; }
  void store_acc(std::string& out, const Acc& acc) const {
    put_varint(out, acc.size());
    for (const Item& item : acc) {
      store_value(out, item.stamp);
      store_accumulator(kernel, out, item.one);
    }
  }
  bool load_acc(BytesCursor& in, Acc& acc) const {
    const std::uint64_t count = in.varint();
    if (!in.ok() || count > in.rest().size()) return false;
    for (std::uint64_t at = 0; at < count; ++at) {
      Item& item = acc.emplace_back(Item{{}, kernel.init()});
      if (!load_value(in, item.stamp) || !load_accumulator(kernel, in, item.one)) return false;
    }
    return true;
  }

 private:
  static bool is_before(const Stamp& stamp, const Item& item) { return stamp < item.stamp; }

  template <class A>
  auto first_kept(A& acc) const {
    if (const auto* const records = std::get_if<LastRecords>(&last)) {
      return acc.size() > records->count ? acc.end() - static_cast<std::ptrdiff_t>(records->count)
                                         : acc.begin();
    }
    if (acc.empty()) return acc.begin();
    const Duration span = std::get<LastSpan>(last).span;
    const Time before = saturating_add(acc.back().stamp.time, -span.count());
    return std::upper_bound(acc.begin(), acc.end(), before,
                            [](Time time, const Item& item) { return time < item.stamp.time; });
  }

  /// Lets go of what is out when the block is full, and takes a greater one unless half is free
  /// then: each record is moved a few times in all.
  void make_room(Acc& acc) const {
    if (acc.size() < acc.capacity()) return;
    acc.erase(acc.begin(), first_kept(acc));
    if (2 * acc.size() >= acc.capacity()) acc.reserve(std::max<std::size_t>(4, 2 * acc.capacity()));
  }
};

}  // namespace millrace::detail
