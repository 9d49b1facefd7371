// Matches: what a keyed stream becomes by match(pattern).
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/keyed_stream.hpp"
#include "millrace/pattern.hpp"
#include "operator/pattern_match.hpp"

namespace millrace {

/// The rows of matches of `T`s, and beside them those of partial matches whose time was over
/// (`Over`; void: nobody said how they are made), and the records that came too late.
template <class T, class Row, class Over>
class MatchedStream : public Stream<Row> {
 public:
  explicit MatchedStream(Stream<Row> rows) : Stream<Row>(std::move(rows)) {}

  MatchedStream named(std::string name) const {
    Stream<Row>::rename(std::move(name));
    return *this;
  }
  MatchedStream parallel(int tasks) const {
    Stream<Row>::fix_tasks(tasks);
    return *this;
  }
  /// Records that came behind the watermark of their own source partition, as they came. They count
  /// as late whether or not somebody reads them.
  Stream<T> late() const { return port<T>(1); }
  /// Rows of partial matches whose time was over before they were complete, with that time. One
  /// that was complete and could have become a longer one is none.
  auto timed_out() const {
    static_assert(!std::is_void_v<Over>,
                  "millrace: timed_out() needs a function that makes its rows: the second one of "
                  "select(f, g) or all_rows(f, g)");
    return port<Over>(2);
  }

 private:
  template <class U>
  Stream<U> port(std::uint32_t port) const {
    std::vector<detail::Upstream> from;
    for (const detail::Upstream& at : this->from()) from.push_back({at.node, port});
    return Stream<U>(this->declaration(), std::move(from));
  }
};

namespace detail {

/// `note`: the pattern's text. `over`: what makes rows of `Over`; void: nothing does.
template <class Row, class Over, class T, class Key, class Maker, class OverMaker>
MatchedStream<T, Row, Over> matched_by(const KeyedStream<T, Key>& keyed, std::string note,
                                       Result<TypedPattern<T>> pattern, Maker maker,
                                       OverMaker over) {
  using OverRow = std::conditional_t<std::is_void_v<Over>, T, Over>;
  using Op = PatternMatch<T, Key, Row, Maker, OverRow, OverMaker>;
  Node node;
  node.kind = "match";
  node.note = std::move(note);
  node.needs_time = true;
  node.breaks_ties = true;
  node.row_places = RowPlaces::of_match;
  node.inputs = keyed.stream().inputs({GroupingKind::fields, keyed.key()});
  if (!pattern) {
    node.problem = pattern.error();
  } else {
    node.make_operator = [key = keyed.key(), made = std::move(*pattern), maker, over] {
      return std::make_unique<Op>(key, made, maker, over);
    };
  }
  node.outputs = {&batch_type<Row>(), &batch_type<T>()};
  if constexpr (!std::is_void_v<Over>) node.outputs.push_back(&batch_type<Over>());
  node.output = node.outputs.front();
  auto& declaration = keyed.stream().declaration();
  const NodeId id = declaration.graph.add(std::move(node));
  return MatchedStream<T, Row, Over>(Stream<Row>(declaration, {{id, 0}}));
}

}  // namespace detail

/// The matches of a pattern in a keyed stream; made by logins.key_by(&Login::user).match(pattern).
/// Say which rows. The stream needs event time; matches are found in its order, equal times by
/// place in the input, when the watermark has passed them. A function that throws makes its match a
/// dead letter.
template <class T, class Key>
class Matches {
 public:
  Matches(KeyedStream<T, Key> keyed, Pattern<T> pattern)
      : keyed_(std::move(keyed)), pattern_(std::move(pattern)) {}

  /// A row for each match: f(const Match<T>&).
  template <class F>
  auto select(F f) const {
    return make<void>(row_of(std::move(f)), detail::NoRows{});
  }
  /// And one for each partial match whose time is over: g(const Match<T>&), see timed_out().
  template <class F, class G>
  auto select(F f, G g) const {
    using Over = std::decay_t<std::invoke_result_t<const G&, const Match<T>&>>;
    return make<Over>(row_of(std::move(f)), row_of(std::move(g)));
  }
  /// A row for each record of each match: f(const Match<T>&, const MatchedRecord<T>&).
  template <class F>
  auto all_rows(F f) const {
    return make<void>(row_of_each(std::move(f)), detail::NoRows{});
  }
  /// And for each record of a partial match whose time is over, see timed_out().
  template <class F, class G>
  auto all_rows(F f, G g) const {
    using Over =
        std::decay_t<std::invoke_result_t<const G&, const Match<T>&, const MatchedRecord<T>&>>;
    return make<Over>(row_of_each(std::move(f)), row_of_each(std::move(g)));
  }

 private:
  template <class F>
  static auto row_of(F f) {
    static_assert(std::is_invocable_v<const F&, const Match<T>&>,
                  "millrace: select needs a function of a match: "
                  "select([](const Match<Login>& match) { ... })");
    return detail::RowOfMatch<F>{std::move(f)};
  }
  template <class F>
  static auto row_of_each(F f) {
    static_assert(
        std::is_invocable_v<const F&, const Match<T>&, const MatchedRecord<T>&>,
        "millrace: all_rows needs a function of a match and one of its records: "
        "all_rows([](const Match<Login>& match, const MatchedRecord<Login>& of) { ... })");
    return detail::RowOfEachRecord<F>{std::move(f)};
  }
  template <class F>
  static auto row_type(const detail::RowOfMatch<F>&)
      -> std::decay_t<std::invoke_result_t<const F&, const Match<T>&>>;
  template <class F>
  static auto row_type(const detail::RowOfEachRecord<F>&)
      -> std::decay_t<std::invoke_result_t<const F&, const Match<T>&, const MatchedRecord<T>&>>;

  template <class Over, class Maker, class OverMaker>
  auto make(Maker maker, OverMaker over) const {
    using Row = decltype(row_type(maker));
    static_assert(!std::is_void_v<Row> && !std::is_pointer_v<Row>,
                  "millrace: the function of a match returns the row that it makes, by value");
    return detail::matched_by<Row, Over>(keyed_, pattern_.to_string(), pattern_.compile(),
                                         std::move(maker), std::move(over));
  }

  KeyedStream<T, Key> keyed_;
  Pattern<T> pattern_;
};

template <class Derived, class T, class Key>
Matches<T, Key> KeyedVerbs<Derived, T, Key>::match(const Pattern<T>& pattern) const {
  return {derived(), pattern};
}

}  // namespace millrace
