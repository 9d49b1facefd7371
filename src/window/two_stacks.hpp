// TwoStacks: the aggregate of a queue of accumulators, from which the oldest are taken off.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "base/byte_codec.hpp"
#include "base/time.hpp"
#include "state/counted_allocator.hpp"

namespace millrace::detail {

/// Two stacks: what comes is put on the back one, beside the aggregate of all of it; when the front
/// one is empty, the back one is turned over into it, each entry with the aggregate of itself and
/// all that are younger there. So nothing is ever subtracted: it works for whatever merges, and
/// reals do not drift. Tangwongsan, Hirzel and Schneider, "Low-Latency Sliding-Window Aggregation
/// in Worst-Case Constant Time" (DEBS 2017), describe it as the known one with amortized bounds.
///
/// merge(Acc&, const Acc&) is associative and commutative. Cost: O(1) merges an entry, amortized.
/// Memory: one accumulator an entry; of those that grow with what they hold (distinct) the entries
/// of the front hold up to all of it each.
template <class Acc>
class TwoStacks {
 public:
  explicit TwoStacks(MemoryMeter* meter)
      : front_(CountedAllocator<Entry>(meter)), back_(CountedAllocator<Entry>(meter)) {}

  std::size_t size() const { return front_.size() + back_.size(); }
  /// Of the oldest; there is one.
  Time front_time() const { return front_.empty() ? back_.front().time : front_.back().time; }

  template <class Merge>
  void push(Time time, Acc acc, Merge&& merge) {
    if (back_all_) {
      merge(*back_all_, std::as_const(acc));
    } else {
      back_all_ = acc;
    }
    back_.push_back({time, std::move(acc)});
  }
  /// Takes the oldest off; there is one.
  template <class Merge>
  void pop(Merge&& merge) {
    if (front_.empty()) turn_over(merge);
    front_.pop_back();
  }
  /// The aggregate of all; there is at least one.
  template <class Merge>
  Acc all(Merge&& merge) const {
    if (front_.empty()) return *back_all_;
    Acc acc = front_.back().acc;
    if (back_all_) merge(acc, *back_all_);
    return acc;
  }
  /// The aggregate of the youngest `count`, of so many that there are; nullopt of none. At most
  /// `count` merges.
  template <class Merge>
  std::optional<Acc> newest(std::size_t count, Merge&& merge) const {
    if (count == 0) return std::nullopt;
    if (count > back_.size()) {
      Acc acc = front_[count - back_.size() - 1].acc;
      if (back_all_) merge(acc, *back_all_);
      return acc;
    }
    auto at = back_.end() - static_cast<std::ptrdiff_t>(count);
    Acc acc = at->acc;
    while (++at != back_.end()) merge(acc, at->acc);
    return acc;
  }

  /// Calls visit(const Acc&) for every accumulator that is held.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto* entries : {&front_, &back_}) {
      for (const Entry& entry : *entries) visit(entry.acc);
    }
    if (back_all_) visit(*back_all_);
  }

  /// Appends all there is; store(std::string&, const Acc&) appends an accumulator.
  template <class Store>
  void store(std::string& out, Store&& store) const {
    for (const auto* entries : {&front_, &back_}) {
      put_varint(out, entries->size());
      for (const Entry& entry : *entries) {
        put_number(out, entry.time);
        store(out, entry.acc);
      }
    }
    if (back_all_) store(out, *back_all_);
  }
  /// Reads that into an empty one; load(BytesCursor&) -> std::optional<Acc>. False: it does not
  /// fit.
  template <class Load>
  bool load(BytesCursor& in, Load&& load) {
    for (auto* entries : {&front_, &back_}) {
      const std::uint64_t count = in.varint();
      if (!in.ok() || count > in.rest().size()) return false;
      for (std::uint64_t at = 0; at < count; ++at) {
        const Time time = in.number<Time>();
        std::optional<Acc> acc = load(in);
        if (!acc) return false;
        entries->push_back({time, std::move(*acc)});
      }
    }
    if (!back_.empty()) back_all_ = load(in);
    return back_.empty() || back_all_.has_value();
  }

 private:
  struct Entry {
    Time time;
    Acc acc;
  };
  template <class Merge>
  void turn_over(Merge&& merge) {
    front_.reserve(back_.size());
    while (!back_.empty()) {
      Entry entry = std::move(back_.back());
      back_.pop_back();
      if (!front_.empty()) merge(entry.acc, std::as_const(front_.back().acc));
      front_.push_back(std::move(entry));
    }
    back_all_.reset();
  }

  CountedVector<Entry> front_;  ///< the oldest is the last
  CountedVector<Entry> back_;   ///< the youngest is the last
  std::optional<Acc> back_all_;
};

}  // namespace millrace::detail
