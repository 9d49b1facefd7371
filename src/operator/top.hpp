// Top: the n greatest aggregates of each window, ties by key ascending; locally first where tasks
// are several.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "operator/keyed.hpp"
#include "operator/stateless.hpp"

namespace millrace::detail {

/// The n best rows seen of one window, as a heap whose front is the worst; owns its keys.
template <class K, class V, class Score>
class BestRows {
 public:
  using Owned = typename KeyTraits<K>::Owned;
  struct Entry {
    Owned key;
    V value;
  };

  void offer(const K& key, const V& value, std::size_t limit, const Score& score) {
    const auto better = [&](const Entry& a, const Entry& b) { return precedes(a, b, score); };
    if (entries_.size() < limit) {
      entries_.push_back({KeyTraits<K>::own(key), value});
      std::push_heap(entries_.begin(), entries_.end(), better);
      return;
    }
    const Entry& worst = entries_.front();
    if (std::invoke(score, value) < std::invoke(score, worst.value)) return;
    Entry entry{KeyTraits<K>::own(key), value};
    if (!better(entry, worst)) return;
    std::pop_heap(entries_.begin(), entries_.end(), better);
    entries_.back() = std::move(entry);
    std::push_heap(entries_.begin(), entries_.end(), better);
  }
  /// Best first.
  std::vector<Entry>& sorted(const Score& score) {
    std::sort(entries_.begin(), entries_.end(),
              [&](const Entry& a, const Entry& b) { return precedes(a, b, score); });
    return entries_;
  }

 private:
  static bool precedes(const Entry& a, const Entry& b, const Score& score) {
    const auto left = std::invoke(score, a.value);
    const auto right = std::invoke(score, b.value);
    if (left != right) return left > right;
    return a.key < b.key;
  }
  std::vector<Entry> entries_;
};

/// Keeps the best rows of each window until the watermark passes its end. `kFinal` emits Ranked
/// rows; otherwise the aggregates themselves, for the final one to merge (the best of disjoint
/// keys' bests are the best).
template <class K, class V, class Score, bool kFinal>
class TopOperator final : public Operator {
 public:
  using In = millrace::Aggregate<K, V>;
  using Out = std::conditional_t<kFinal, Ranked<K, V>, In>;

  TopOperator(std::size_t limit, Score score) : limit_(limit), score_(std::move(score)) {}

  void process(BatchBase& base, bool, Outputs&) override {
    auto& in = static_cast<Batch<In>&>(base);
    for (const In& row : in.values) {
      windows_[{row.window_end, row.window_start}].offer(row.key, row.value, limit_, score_);
    }
    tally().processed += in.values.size();
  }

  void advance(Time watermark, Outputs& outputs) override {
    while (!windows_.empty() && windows_.begin()->first.first <= watermark) {
      const auto [end, start] = windows_.begin()->first;
      emit(start, end, windows_.begin()->second.sorted(score_), outputs);
      windows_.erase(windows_.begin());
    }
  }
  Standing standing() const override {
    if (windows_.empty()) return {};
    const auto [end, start] = windows_.begin()->first;
    return {.closes_at = end, .holds_from = start};
  }

 private:
  template <class Entries>
  void emit(Time start, Time end, const Entries& entries, Outputs& outputs) {
    out_.clear();
    ArenaRef arena = pool_.take(context().arenas);
    out_.pin(arena);
    std::uint32_t rank = 0;
    for (const auto& entry : entries) {
      ++rank;
      const K key = KeyTraits<K>::intern(view_of(entry.key), *arena);
      if constexpr (kFinal) {
        out_.values.push_back({rank, key, entry.value, start, end});
      } else {
        out_.values.push_back({key, entry.value, start, end});
      }
      if (end != kTimeMax) out_.times.push_back(end - 1);
      if (context().makes_arrivals) {
        out_.arrivals.push_back(Arrival::at(context().component, 0, rank));
      }
    }
    outputs.push(0, out_);
  }

  template <class Owned>
  static K view_of(const Owned& owned) {
    if constexpr (std::is_convertible_v<const Owned&, K>) {
      return K(owned);
    } else {
      return std::apply([](const auto&... parts) { return K(parts...); }, owned);
    }
  }

  std::size_t limit_;
  Score score_;
  std::map<std::pair<Time, Time>, BestRows<K, V, Score>> windows_;
  Batch<Out> out_;
  ArenaPool pool_{8u << 10};
};

}  // namespace millrace::detail
