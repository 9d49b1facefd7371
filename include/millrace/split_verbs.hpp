// Verbs that make several streams of one.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/record_verbs.hpp"

namespace millrace {

/// A named predicate for split.
template <class F>
struct Case {
  std::string name;
  F holds;
};
template <class F>
Case<F> when(std::string name, F holds) {
  return {std::move(name), std::move(holds)};
}

/// The streams that split makes.
template <class T, class Kind>
class Split {
 public:
  Split(std::vector<Kind> kinds, std::vector<Stream<T>> streams)
      : kinds_(std::move(kinds)), streams_(std::move(streams)) {}

  /// The stream of a kind, or of a name. One that was not split off is a problem of the declaration
  /// (2010).
  Stream<T> operator[](const Kind& kind) const {
    for (std::size_t at = 0; at < kinds_.size(); ++at) {
      if (kinds_[at] == kind) return streams_[at];
    }
    others().declaration().graph.report(
        {Code::parameter_invalid, "split makes no stream of " + shown(kind) +
                                      ": name it among the kinds, or take others()"});
    return others();
  }
  /// Records that no other stream takes.
  Stream<T> others() const { return streams_.back(); }

 private:
  static std::string shown(const Kind& kind) {
    if constexpr (std::is_convertible_v<Kind, std::string>) {
      return "\"" + std::string(kind) + "\"";
    } else {
      return "that kind";
    }
  }
  std::vector<Kind> kinds_;
  std::vector<Stream<T>> streams_;
};

/// The verbs of Stream that make several streams of it.
template <class T>
class SplitVerbs : public RecordVerbs<T> {
 public:
  using RecordVerbs<T>::RecordVerbs;

  /// Splits: each record goes to the first stream whose predicate holds, or to the last one, the
  /// rest. Records of a stream that nothing reads are filtered.
  template <class... Fs>
  std::array<Stream<T>, sizeof...(Fs) + 1> branch(Fs... predicates) const {
    static_assert(
        (std::is_invocable_r_v<bool, Fs&, const T&> && ...),
        "millrace: branch needs predicates that take this stream's records and return bool");
    using Op = detail::SelectOperator<T, true, Fs...>;
    detail::Node node = detail::operator_node<Op>("branch", this->inputs({}),
                                                  std::tuple<Fs...>(std::move(predicates)...));
    node.output = &detail::batch_type<T>();
    const detail::NodeId id = this->declaration().graph.add(std::move(node));
    return ports(id, std::make_index_sequence<sizeof...(Fs) + 1>{});
  }

  /// Splits by a member or function of the record, into a stream for each kind and one for the
  /// others: `auto of = events.split(&Event::kind, "cart", "order"); of["cart"]...; of.others()`.
  /// Records of a stream that nothing reads are filtered.
  template <class Get, class... Kinds>
    requires std::is_invocable_v<const Get&, const T&>
  auto split(Get kind_of, const Kinds&... kinds) const {
    using Op = detail::SplitOperator<T, Get>;
    using Kind = typename Op::OwnedKind;
    static_assert(sizeof...(Kinds) > 0 && (std::is_convertible_v<const Kinds&, Kind> && ...),
                  "millrace: split needs the kinds to split by, of the type of the member");
    std::vector<Kind> list = {Kind(kinds)...};
    return splits(list,
                  detail::operator_node<Op>("split", this->inputs({}), std::move(kind_of), list));
  }
  /// Splits by predicates, each with a name: the first that holds takes the record.
  /// `auto of = edits.split(when("large", is_large), when("small", is_small)); of["large"]...`.
  template <class... Fs>
  auto split(Case<Fs>... cases) const {
    static_assert(
        (std::is_invocable_r_v<bool, Fs&, const T&> && ...),
        "millrace: when needs predicates that take this stream's records and return bool");
    using Op = detail::SelectOperator<T, true, Fs...>;
    std::vector<std::string> names = {cases.name...};
    return splits(names, detail::operator_node<Op>("split", this->inputs({}),
                                                   std::tuple<Fs...>(std::move(cases.holds)...)));
  }

 private:
  template <class Kind>
  Split<T, Kind> splits(std::vector<Kind> kinds, detail::Node node) const {
    node.output = &detail::batch_type<T>();
    if (std::set<Kind>(kinds.begin(), kinds.end()).size() != kinds.size()) {
      node.problem = Status(Code::parameter_invalid, "split has two streams of one kind");
    }
    const detail::NodeId id = this->declaration().graph.add(std::move(node));
    std::vector<Stream<T>> streams;
    for (std::uint32_t port = 0; port <= kinds.size(); ++port) {
      streams.push_back(Stream<T>(this->declaration(), {{id, port}}, this->names()));
    }
    return Split<T, Kind>(std::move(kinds), std::move(streams));
  }

  template <std::size_t... I>
  std::array<Stream<T>, sizeof...(I)> ports(detail::NodeId id, std::index_sequence<I...>) const {
    return {
        Stream<T>(this->declaration(), {{id, static_cast<std::uint32_t>(I)}}, this->names())...};
  }
};

}  // namespace millrace
