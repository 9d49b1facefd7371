// As-of joins: each record of a stream with the record of another that was valid at its event time.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "millrace/joined_stream.hpp"
#include "operator/as_of_join.hpp"
#include "window/as_of_bounds.hpp"

namespace millrace {

/// Left records, each with the newest right record of its key whose event time is the left one's or
/// earlier; made by trades.key_by(&Trade::symbol).as_of(quotes.key_by(&Quote::symbol)). Of right
/// records with equal times the last one by place in its source counts. Then say which rows:
/// .inner(f) of those that have one, .left(f) of all. A row is emitted when the watermark has
/// passed the left record's time, whose event time it has.
template <class L, class LKey, class R, class RKey>
class AsOf : public JoinVerbs<AsOf<L, LKey, R, RKey>, L, R> {
 public:
  explicit AsOf(detail::JoinInputs<L, LKey, R, RKey> inputs, detail::AsOfTable<L, R> table = {})
      : inputs_(std::move(inputs)), table_(std::move(table)) {}

  /// A right record that is older by more than `span` counts no more, and is forgotten. 0 or more.
  AsOf within(Duration span) const {
    AsOf changed = *this;
    changed.bounds_.within = span;
    return changed;
  }
  /// The nearest right record in time, before or after, at most `span` away; of two that are as
  /// near the earlier one. Rows, and what stands behind, wait for `span` more. 0 or more.
  AsOf nearest(Duration span) const {
    AsOf changed = within(span);
    changed.bounds_.nearest = true;
    return changed;
  }
  /// Records up to `lateness` behind the watermark of their own source partition still count; rows,
  /// and what stands behind, wait so much longer. 0 or more.
  AsOf allowed_lateness(Duration lateness) const {
    AsOf changed = *this;
    changed.bounds_.lateness = lateness;
    return changed;
  }

  // Internal.
  template <detail::JoinKind kKind, class Out, class Maker>
  auto apply(Maker maker) const {
    static_assert(kKind == detail::JoinKind::inner || kKind == detail::JoinKind::left,
                  "millrace: an as-of join has a row for each left record: .inner(f) or .left(f)");
    using Op = detail::AsOfJoin<L, LKey, R, RKey, Out, Maker>;
    detail::Node node;
    const bool everywhere = table_.reach == detail::TableReach::everywhere;
    node.note = everywhere ? "global, " + bounds_.to_string() : bounds_.to_string();
    node.problem = bounds_.validate();
    node.needs_time = true;
    node.breaks_ties = true;
    return detail::joined<Out>(
        inputs_, std::move(node),
        [bounds = bounds_, maker, table = table_](const auto& left, const auto& right) {
          return std::make_unique<Op>(bounds, kKind, left, right, maker, table);
        },
        everywhere);
  }

 private:
  detail::JoinInputs<L, LKey, R, RKey> inputs_;
  AsOfBounds bounds_;
  detail::AsOfTable<L, R> table_;
};

}  // namespace millrace

#include "millrace/keyed_stream.hpp"  // what is looked up for; at its end it needs all of this

namespace millrace {

template <class T, class Key>
template <class R, class RKey>
AsOf<T, Key, R, RKey> KeyedStream<T, Key>::as_of(const KeyedStream<R, RKey>& right) const {
  static_assert(std::is_same_v<K, typename RKey::View>,
                "millrace: both sides of an as-of join need keys of the same type: make one like "
                "the other, key_by([](const Quote& q) { return std::string_view{q.symbol}; })");
  return AsOf<T, Key, R, RKey>({*this, right});
}

}  // namespace millrace
