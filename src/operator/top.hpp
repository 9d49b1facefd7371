// Top: the n greatest aggregates of each window, ties by key ascending; locally first where tasks
// are several.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "operator/keyed.hpp"
#include "operator/stateless.hpp"
#include "state/stored_content.hpp"
#include "state/stored_tables.hpp"

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
  /// In no order.
  std::vector<Entry>& entries() { return entries_; }
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
  /// The first of two phases keeps nothing: its rows are merged with those to come.
  void before_barrier(Outputs& outputs) override {
    if constexpr (!kFinal) {
      if (!windows_.empty()) advance(kTimeMax, outputs);
    }
  }
  void save_state(StateWriter& writer) override {
    if constexpr (!kFinal) return;
    if constexpr (Storable<V>) {
      if (windows_.empty()) return;
      std::string& bytes = writer.task_part(kWindowsPart, stored_shape<Entries>());
      for (auto& [bounds, best] : windows_) {
        put_number(bytes, bounds.first);
        put_number(bytes, bounds.second);
        store_value(bytes, best.entries());
      }
    } else if (!windows_.empty()) {
      writer.refuse(
          "the values that it ranks are of a type that cannot be stored: fold into a struct of "
          "numbers and texts, or run without a state folder");
    }
  }
  /// One task merges the best rows of all.
  void restore_state(StateReader& reader) override {
    if constexpr (kFinal && Storable<V>) {
      reader.each(kWindowsPart, [&](const StatePart& part) {
        const auto stored = ContentReader<Entries>::of(part.shape);
        if (!stored) return reader.refuse(part, stored.error().message());
        BytesCursor in(part.bytes);
        while (!in.rest().empty()) {
          const Time end = in.number<Time>();
          const Time start = in.number<Time>();
          Entries entries;
          if (!stored->read(in, entries)) return reader.refuse(part, kBytesDoNotFit);
          auto& best = windows_[{end, start}];
          for (const auto& entry : entries)
            best.offer(view_of(entry.key), entry.value, limit_, score_);
        }
      });
    }
  }
  Standing standing() const override {
    if (windows_.empty()) return {};
    const auto [end, start] = windows_.begin()->first;
    return {.closes_at = end, .holds_from = start};
  }

 private:
  static constexpr std::string_view kWindowsPart = "windows";
  using Entries = std::vector<typename BestRows<K, V, Score>::Entry>;

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
