// RunningTop: the records of each key that rank first, with a row for each place that changes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/keyed_picks.hpp"
#include "operator/row_shape.hpp"

namespace millrace {

/// A place in the running ranking of a key: from now on `record` holds it, instead of whatever did.
/// 1 is the greatest.
template <class T>
struct RankedRecord {
  std::uint32_t rank = 0;
  T record{};
};

namespace detail {

template <class T>
struct RowShape<RankedRecord<T>> {
  static std::vector<ColumnInfo> columns(const RowNames& names) {
    std::vector<ColumnInfo> columns = {{"rank", ColumnType::integer}};
    for (ColumnInfo& column : RowShape<T>::columns(names)) columns.push_back(std::move(column));
    return columns;
  }
  template <class Visit>
  static void visit_cells(const RankedRecord<T>& row, const Visit& visit) {
    visit(std::int64_t{row.rank});
    RowShape<T>::visit_cells(row.record, visit);
  }
  static std::optional<std::pair<Time, Time>> window(const RankedRecord<T>&) {
    return std::nullopt;
  }
};

/// How a record is held, and emitted with its place.
template <class T>
struct RankedForm {
  using Emitted = RankedRecord<T>;
  using State = typename HeldRecord<T>::State;
  decltype(auto) hold(const T& record) { return held.hold(record); }
  void emit(const State& state, std::uint32_t rank, Output<Emitted>& out) const {
    out.emit({rank, held.read(state)});
  }
  HeldRecord<T> held = {};
};

/// In place of what tells items apart: each record is one of its own.
struct EachRecord {};

/// What a key keeps of an item.
template <class State, class S>
struct RankEntry {
  State held{};
  S score{};
  Time since = 0;
};

/// A NaN ranks behind all numbers.
template <class S>
bool outranks(const S& a, const S& b) {
  if constexpr (std::is_floating_point_v<S>) {
    if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
  }
  return b < a;
}

/// Ranks by `score`, greatest first. Equal ones: by `item` ascending; without item by event time,
/// then in the order of arrival. Of an item the record with the latest time counts, of equal times
/// the last to come, and every item is kept; without item only the best are.
///
/// Cost: O(n log items) a record; O(items) when one of the best falls behind the others.
template <class T, class K, class Score, class Item>
struct RunningTop {
  template <class F>
  using OwnedOf = typename KeyTraits<KeyView<std::invoke_result_t<const F&, const T&>>>::Owned;
  static constexpr bool kHasItem = !std::is_same_v<Item, EachRecord>;
  static auto id_type() {
    if constexpr (kHasItem) {
      return std::type_identity<OwnedOf<Item>>();
    } else {
      return std::type_identity<std::int64_t>();
    }
  }
  using Id = typename decltype(id_type())::type;
  using S = OwnedOf<Score>;
  using Form = RankedForm<T>;
  using Entry = RankEntry<typename Form::State, S>;
  using Emitted = typename Form::Emitted;

  std::size_t limit = 1;
  Score score;
  Item item;
  Form form = {};
  MapState<Id, Entry> entries{{.name = "entries"}};
  ListState<Id> best{{.name = "best"}};  // first to last
  ValueState<std::int64_t> seen{{.name = "seen"}};
  std::vector<Id> ids = {};  // of best, as they become

  auto states() { return std::tie(entries, best, seen); }
  HeldRecord<T>& held_form() { return form.held; }

  void process(const T& record, KeyedContext<K>& context, Output<Emitted>& out) {
    const Id id = id_of(record);
    const Entry* const before = entries.get(id);
    if (before && before->since > context.time()) return;
    const S its_score = OwnedOf<Score>(std::invoke(score, record));
    ids.assign(best.begin(), best.end());
    const bool was_best = std::erase(ids, id) > 0;
    const auto place = std::find_if(ids.begin(), ids.end(), [&](const Id& other) {
      return precedes(its_score, context.time(), id, *entries.get(other), other);
    });
    if (!kHasItem && place == ids.end() && ids.size() == limit) return;
    entries.set(id, Entry{form.hold(record), its_score, context.time()});
    const bool fell = was_best && place == ids.end();
    ids.insert(place, fell ? best_of_others() : id);
    if (ids.size() > limit) {
      if (!kHasItem) entries.erase(ids.back());
      ids.pop_back();
    }
    tell(id, out);
  }

 private:
  Id id_of(const T& record) {
    if constexpr (kHasItem) {
      return Id(std::invoke(item, record));
    } else {
      seen.set(seen.value_or(0) + 1);
      return *seen;
    }
  }
  static bool precedes(const S& score_a, Time since_a, const Id& a, const Entry& entry_b,
                       const Id& b) {
    if (outranks(score_a, entry_b.score)) return true;
    if (outranks(entry_b.score, score_a)) return false;
    if (!kHasItem && since_a != entry_b.since) return since_a < entry_b.since;
    return a < b;
  }
  /// The first of those that `ids` does not hold.
  Id best_of_others() {
    const std::pair<const Id, Entry>* first = nullptr;
    for (const auto& entry : entries) {
      if (std::find(ids.begin(), ids.end(), entry.first) != ids.end()) continue;
      if (!first || precedes(entry.second.score, entry.second.since, entry.first, first->second,
                             first->first)) {
        first = &entry;
      }
    }
    return first->first;
  }
  /// A row for each place that another one holds now, and for that of `changed`.
  void tell(const Id& changed, Output<Emitted>& out) {
    const auto before = best.all();
    bool moved = before.size() != ids.size();
    for (std::size_t at = 0; at < ids.size(); ++at) {
      const bool other = at >= before.size() || before[at] != ids[at];
      moved |= other;
      if (!other && ids[at] != changed) continue;
      form.emit(entries.get(ids[at])->held, static_cast<std::uint32_t>(at + 1), out);
    }
    if (moved) best.set(ids);
  }
};

/// What a key keeps of a span.
template <class State>
struct SampleEntry {
  State held{};
  Time since = 0;
};

/// The latest record of each span of event time, spans beginning at multiples of theirs.
template <class T, class K>
struct KeepSample {
  using Entry = SampleEntry<typename HeldRecord<T>::State>;

  std::int64_t span = 1;
  MapState<Time, Entry> open{{.name = "open"}};  // by the last microsecond of their span
  HeldRecord<T> form = {};

  auto states() { return std::tie(open); }
  HeldRecord<T>& held_form() { return form; }
  void process(const T& record, KeyedContext<K>& context, Output<T>&) {
    if (context.is_late()) return;
    const Time last = last_of_span(context.time());
    const Entry* const before = open.get(last);
    if (before && before->since > context.time()) return;
    if (!before) context.timers().at(last);
    open.set(last, Entry{form.hold(record), context.time()});
  }
  void on_timer(Time time, KeyedContext<K>&, Output<T>& out) {
    form.emit(open.get(time)->held, out);
    open.erase(time);
  }

 private:
  Time last_of_span(Time time) const {
    const Time into = ((time % span) + span) % span;
    return saturating_add(time, span - 1 - into);
  }
};

}  // namespace detail
}  // namespace millrace
