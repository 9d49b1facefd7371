// StreamHandle: what a stream is a handle to, and the ends that a stream can have.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/declaration.hpp"
#include "millrace/sinks.hpp"
#include "operator/row_shape.hpp"
#include "operator/stateless.hpp"
#include "topology/topology_graph.hpp"

namespace millrace {

template <class T>
class Stream;

/// The end of a stream, a component that can be named as others can.
class Ending {
 public:
  Ending(detail::Declaration& declaration, detail::NodeId node)
      : declaration_(&declaration), node_(node) {}
  Ending named(std::string name) const {
    declaration_->graph.rename(node_, std::move(name));
    return *this;
  }

 private:
  detail::Declaration* declaration_;
  detail::NodeId node_;
};

/// The base of Stream: its place in the graph, and how verbs add to it.
template <class T>
class StreamHandle {
 public:
  StreamHandle(detail::Declaration& declaration, std::vector<detail::Upstream> from,
               detail::RowNames names)
      : declaration_(&declaration), from_(std::move(from)), names_(std::move(names)) {}

  /// Ends the stream in a view of the page.
  Ending to(ViewSpec view) const {
    auto shown = detail::make_view<T>(view, names_);
    declaration_->views.push_back(shown);
    return {*declaration_, declaration_->graph.add(detail::view_node<T>(shown, inputs({})))};
  }
  /// Ends the stream as text in a file or on standard output: log(...), csv(...).
  template <detail::TextEnd Spec>
  Ending to(Spec spec) const {
    return {*declaration_, declaration_->graph.add(detail::text_node<T>(spec, inputs({}), names_))};
  }
  /// Ends the stream in a function.
  template <class F>
  Ending to(EachSpec<F> each) const {
    static_assert(detail::TakesRecord<F, T> || std::is_invocable_v<F&, const T&, IdempotencyKey>,
                  "millrace: each needs a function that takes this stream's records");
    detail::Node node = detail::sink_node("each", "", inputs({}), [each] {
      return std::make_unique<detail::EachSink<T, F>>(each.f);
    });
    node.breaks_ties = !detail::TakesRecord<F, T>;
    return {*declaration_, declaration_->graph.add(std::move(node))};
  }

  /// Ends the stream in what `spec` makes of it: journal(...).
  template <class Spec>
    requires requires(const Spec& spec, const detail::RowNames& names) {
      spec.template node<T>({}, names);
    }
  Ending to(Spec spec) const {
    return {*declaration_, declaration_->graph.add(spec.template node<T>(inputs({}), names_))};
  }

  // Internal.
  detail::Declaration& declaration() const { return *declaration_; }
  const std::vector<detail::Upstream>& from() const { return from_; }
  const detail::RowNames& names() const { return names_; }

  std::vector<detail::NodeInput> inputs(const detail::Grouping& grouping) const {
    return detail::inputs_from(from_, grouping);
  }

 protected:
  void rename(std::string name) const {
    if (is_one_component("named")) declaration_->graph.rename(from_.front().node, std::move(name));
  }
  void fix_tasks(int tasks) const {
    if (is_one_component("parallel")) declaration_->graph.set_tasks(from_.front().node, tasks);
  }

  template <class U>
  Stream<U> derive(detail::Node node) const {
    const detail::NodeId id = declaration_->graph.add(std::move(node));
    detail::RowNames names;
    if constexpr (std::is_same_v<T, U>) names = names_;
    return Stream<U>(*declaration_, {{id, 0}}, std::move(names));
  }

  template <class U, class Each>
  Stream<U> emitter(std::string kind, Each each) const {
    detail::Node node = detail::operator_node<detail::EmitOperator<T, U, Each>>(
        std::move(kind), inputs({}), std::move(each));
    node.output = &detail::batch_type<U>();
    return derive<U>(std::move(node));
  }

  Stream<T> same(detail::Node node) const {
    node.output = &detail::batch_type<T>();
    return derive<T>(std::move(node));
  }

  bool is_one_component(const char* verb) const {
    if (from_.size() == 1 && from_.front().port != detail::kErrorsPort) return true;
    declaration_->graph.report(
        {Code::name_invalid, std::string(verb) +
                                 "() follows merge() or errors(), which is no component of its "
                                 "own: put it behind the verb that it is for"});
    return false;
  }

 private:
  detail::Declaration* declaration_;
  std::vector<detail::Upstream> from_;
  detail::RowNames names_;
};

namespace detail {

/// Says that the component which emits `stream` is there for the one behind it: see Node::helps.
template <class T>
void mark_helper(const StreamHandle<T>& stream, const char* part) {
  stream.declaration().graph.node(stream.from().front().node).helps = part;
}

}  // namespace detail
}  // namespace millrace
