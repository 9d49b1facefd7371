// Topology: the declared graph of spouts, bolts and streams; groupings as values.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "millrace/bolt.hpp"
#include "millrace/sources.hpp"
#include "millrace/stream.hpp"
#include "operator/spout_source.hpp"

namespace millrace {

/// Options of a spout or bolt.
struct TaskOptions {
  /// Number of tasks, 1 to 128. 0: the run's parallelism for bolts, 1 for spouts.
  int tasks = 0;
};

/// A stream with the way its records choose the receiving task.
template <class T>
struct Grouped {
  Stream<T> stream;
  detail::Grouping grouping;
};

/// Spreads records evenly over the tasks.
template <class T>
Grouped<T> shuffle(const Stream<T>& stream) {
  return {stream, {detail::GroupingKind::shuffle, nullptr}};
}
/// Sends records with equal keys to one task: members or functions of the record.
template <class T, class... Parts>
Grouped<T> fields(const Stream<T>& stream, Parts... parts) {
  static_assert(sizeof...(Parts) > 0 && (std::is_invocable_v<const Parts&, const T&> && ...),
                "millrace: fields needs members or functions of the stream's records");
  using Key = detail::KeyFn<T, Parts...>;
  return {stream,
          {detail::GroupingKind::fields,
           std::make_shared<const detail::TypedKeyHash<T, Key>>(Key(parts...))}};
}
/// Sends all records to task 0.
template <class T>
Grouped<T> to_one(const Stream<T>& stream) {
  return {stream, {detail::GroupingKind::global, nullptr}};
}
/// Sends every record to every task.
template <class T>
Grouped<T> all(const Stream<T>& stream) {
  return {stream, {detail::GroupingKind::all, nullptr}};
}

/// The declared graph. Declaring runs nothing; run(topology, argc, argv) does. One thread.
class Topology {
 public:
  explicit Topology(std::string name)
      : declaration_(std::make_unique<detail::Declaration>(std::move(name))) {}

  const std::string& name() const { return declaration_->graph.name(); }

  /// A stream that begins at a source: from(json_lines<Edit>("edits.jsonl")).
  template <class T>
  Stream<T> from(SourceOf<T> source) {
    detail::Node node;
    node.kind = "source";
    node.note = source.kind + (source.note.empty() ? "" : " " + source.note);
    node.tasks = source.tasks;
    node.make_source = std::move(source.make);
    node.output = &detail::batch_type<T>();
    return Stream<T>(*declaration_, {{declaration_->graph.add(std::move(node)), 0}});
  }

  /// A stream that a user's spout emits. Every task gets a copy of `spout`.
  template <class S>
  auto spout(std::string name, S spout, TaskOptions options = {}) {
    static_assert(
        requires { typename S::Record; } && std::is_base_of_v<Spout<typename S::Record>, S>,
        "millrace: a spout is a class derived from Spout<Record>");
    using T = typename S::Record;
    detail::Node node = declared(std::move(name), "spout", options);
    node.make_source = [spout] { return std::make_unique<detail::SpoutSource<S, T>>(spout); };
    node.output = &detail::batch_type<T>();
    return Stream<T>(*declaration_, {{declaration_->graph.add(std::move(node)), 0}});
  }

  /// A stream that a user's bolt emits. Every task gets a copy of `bolt`.
  template <class B, class T>
  auto bolt(std::string name, B bolt, const Grouped<T>& input, TaskOptions options = {}) {
    static_assert(
        requires { typename B::Input; } &&
            std::is_base_of_v<Bolt<typename B::Input, typename B::Record>, B>,
        "millrace: a bolt is a class derived from Bolt<In, Out>");
    static_assert(std::is_same_v<typename B::Input, T>,
                  "millrace: this bolt does not take the records of that stream");
    using U = typename B::Record;
    detail::Node node = declared(std::move(name), "bolt", options);
    node.inputs = input.stream.inputs(input.grouping);
    node.make_operator = [bolt] {
      return std::make_unique<detail::EmitOperator<T, U, detail::BoltCall<B>>>(
          detail::BoltCall<B>{bolt});
    };
    node.output = &detail::batch_type<U>();
    return Stream<U>(*declaration_, {{declaration_->graph.add(std::move(node)), 0}});
  }

  /// Internal.
  detail::Declaration& declaration() const { return *declaration_; }

 private:
  static detail::Node declared(std::string name, std::string kind, TaskOptions options) {
    detail::Node node;
    node.name = std::move(name);
    node.kind = std::move(kind);
    if (options.tasks < 0) {
      node.problem =
          Status(Code::tasks_invalid,
                 "a negative number of tasks: give 1 to 128, or 0 for the run's parallelism");
    } else {
      node.tasks = static_cast<std::uint32_t>(options.tasks);
    }
    return node;
  }

  std::unique_ptr<detail::Declaration> declaration_;
};

}  // namespace millrace
