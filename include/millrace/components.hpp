// Components: one's own sources and verbs in C++ by name, for topologies that are written in YAML.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "millrace/topology.hpp"
#include "operator/record_rows.hpp"
#include "operator/row_cells.hpp"
#include "operator/row_records.hpp"

namespace millrace {

/// A parameter of a component of one's own, by its name in `with`. Its default says its type.
struct Parameter {
  std::string name;
  std::variant<std::string, std::int64_t, double, bool, Duration> standard;
  std::string doc;  ///< shown by editors and in messages
};

/// What `with` says, or the defaults. Ask for declared parameters, by their own types.
class Parameters {
 public:
  using Values = std::map<std::string, decltype(Parameter::standard), std::less<>>;
  explicit Parameters(Values values) : values_(std::move(values)) {}

  const std::string& text(std::string_view name) const { return get<std::string>(name); }
  std::int64_t integer(std::string_view name) const { return get<std::int64_t>(name); }
  double number(std::string_view name) const { return get<double>(name); }
  bool flag(std::string_view name) const { return get<bool>(name); }
  Duration duration(std::string_view name) const { return get<Duration>(name); }

 private:
  template <class V>
  const V& get(std::string_view name) const {
    return std::get<V>(values_.find(name)->second);
  }
  Values values_;
};

namespace detail {

/// A stream of rows, or why there is none.
struct OwnRows {
  RowSchemaPtr schema;
  std::vector<Upstream> from;
  std::string wrong = {};
};

/// One component of one's own, its types erased.
struct OwnComponent {
  std::string name;
  std::string doc;
  std::vector<Parameter> parameters;
  bool is_spout = false;
  std::function<OwnRows(Topology&, const Parameters&)> begin = {};
  std::function<OwnRows(const Stream<RowRef>&, const RowSchema&, const Parameters&)> follow = {};
};

template <class T>
OwnRows rows_of_records(const Stream<T>& records, std::string kind) {
  Node node = operator_node<RecordRows<T>>(std::move(kind), records.inputs({}));
  node.output = &batch_type<RowRef>();
  const NodeId id = records.declaration().graph.add(std::move(node));
  return {schema_of_records<T>(), {{id, 0}}};
}

}  // namespace detail

/// Names for sources and verbs of one's own. Records are plain structs as everywhere: a verb's are
/// made of rows by the names of their members, what it gives becomes rows again.
class Components {
 public:
  /// A spout: make(const Parameters&) -> SourceOf<T>.
  template <class Make>
  Components& spout(std::string name, std::string doc, std::vector<Parameter> parameters,
                    Make make) {
    all_.push_back({name, std::move(doc), std::move(parameters), true,
                    [make](Topology& topology, const Parameters& with) {
                      return detail::rows_of_records(topology.from(make(with)), "rows");
                    }});
    return *this;
  }
  /// A bolt: make(const Stream<T>&, const Parameters&) -> Stream<U>: any verbs, one after another.
  template <class T, class Make>
  Components& bolt(std::string name, std::string doc, std::vector<Parameter> parameters,
                   Make make) {
    all_.push_back({name,
                    std::move(doc),
                    std::move(parameters),
                    false,
                    {},
                    [make](const Stream<RowRef>& rows, const RowSchema& schema,
                           const Parameters& with) -> detail::OwnRows {
                      auto bound = detail::bind_members<T>(schema);
                      if (auto* const wrong = std::get_if<std::string>(&bound)) {
                        return {nullptr, {}, std::move(*wrong)};
                      }
                      detail::Node node = detail::operator_node<detail::RowRecords<T>>(
                          "records", rows.inputs({}), std::get<detail::MemberFields>(bound));
                      node.output = &detail::batch_type<T>();
                      const detail::NodeId id = rows.declaration().graph.add(std::move(node));
                      const Stream<T> records(rows.declaration(), {{id, 0}});
                      return detail::rows_of_records(make(records, with), "rows");
                    }});
    return *this;
  }

  /// Internal.
  const std::vector<detail::OwnComponent>& all() const { return all_; }

 private:
  std::vector<detail::OwnComponent> all_;
};

/// Gives a program the commands of `millrace` for topologies in YAML, with components of its own:
/// `PROGRAM run FILE.yaml`, `PROGRAM validate FILE.yaml`, `PROGRAM schema`. Returns the exit code;
/// prints, and handles signals: call it once, from main.
int run_files(const Components& own, int argc, char** argv);

}  // namespace millrace
