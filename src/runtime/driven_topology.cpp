// Standing in for sources and sinks by their names, and running with every failure thrown.
#include "runtime/driven_topology.hpp"

#include <cxxabi.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <typeinfo>
#include <utility>

#include "base/text.hpp"
#include "record/batch_type.hpp"
#include "topology/topology_info.hpp"

namespace millrace::detail {
namespace {

void shorten(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at))
    text.replace(at, from.size(), to);
}

/// The type of a batch's records as one writes it in C++.
std::string record_name(const BatchType& type) {
  const BatchPtr batch = type.make();
  const BatchBase& made = *batch;
  int status = 0;
  char* text = abi::__cxa_demangle(typeid(made).name(), nullptr, nullptr, &status);
  std::string name = status == 0 && text ? text : "another type";
  std::free(text);  // NOLINT: the ABI allocates with malloc
  const std::string around = "millrace::detail::Batch<";
  if (name.starts_with(around)) name = name.substr(around.size(), name.size() - around.size() - 1);
  while (name.ends_with(' ')) name.pop_back();
  shorten(name, "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >",
          "std::string");
  shorten(name, "std::basic_string_view<char, std::char_traits<char> >", "std::string_view");
  shorten(name, "(anonymous namespace)::", "");
  return name;
}

[[noreturn]] void refuse(Code code, std::string sentence) {
  throw Error(Status(code, "test driver: " + std::move(sentence)));
}

}  // namespace

DrivenTopology::DrivenTopology(Graph graph, const PlanOptions& plan, const RunOptions& run,
                               Time start)
    : graph_(std::move(graph)), plan_(plan), options_(run), env_(1, {}, start) {}

Node& DrivenTopology::node(const std::string& name, const char* wanted) {
  std::vector<std::string> names;
  for (const Node& node : graph_.nodes()) {
    if (node.name == name) return graph_.node(node.id);
    names.push_back(node.name);
  }
  const std::string near = nearest_word(name, names);
  std::string all;
  for (const std::string& known : names) all += (all.empty() ? "\"" : ", \"") + known + "\"";
  refuse(Code::name_invalid,
         fmt::format("there is no component \"{}\" to be {}{}; there are {}", name, wanted,
                     near.empty() ? "" : ": did you mean \"" + near + "\"?", all));
}

void DrivenTopology::refuse_when_begun(const std::string& call) const {
  if (!run_) return;
  refuse(Code::parameter_invalid,
         call +
             " comes too late: the topology has begun; ask for inputs and outputs before the "
             "first record, clock or watermark");
}

void DrivenTopology::check_type(const Node& node, const BatchType* its, const BatchType& asked,
                                const char* call) const {
  if (its == &asked) return;
  refuse(Code::parameter_invalid,
         fmt::format("{}<{}>(\"{}\"): its records are of {}", call, record_name(asked), node.name,
                     its ? record_name(*its) : std::string("no type")));
}

void DrivenTopology::stand_in(const std::string& name, const BatchType& type, MakeSource make) {
  refuse_when_begun("input(\"" + name + "\")");
  Node& source = node(name, "an input");
  if (!source.make_source) {
    refuse(Code::parameter_invalid,
           fmt::format("input(\"{}\"): that is a {}, which reads what others emit; stand in for "
                       "the source or spout before it",
                       name, source.kind));
  }
  check_type(source, source.output, type, "input");
  source.make_source = std::move(make);
  source.blocking = false;
}

RowSchemaPtr DrivenTopology::row_schema(const std::string& name) {
  const Node& source = node(name, "an input");
  if (source.row_schema) return source.row_schema;
  refuse(Code::parameter_invalid,
         fmt::format("input<RowRef>(\"{}\"): that is no source of rows with known fields, as those "
                     "of topologies in YAML are",
                     name));
}

std::uint32_t DrivenTopology::port_of(const Node& node, const std::string& stream) const {
  if (stream.empty()) return 0;
  if (stream == "errors") return kErrorsPort;
  const auto found = std::ranges::find(node.streams, stream);
  if (found != node.streams.end()) return static_cast<std::uint32_t>(found - node.streams.begin());
  std::string all;
  for (const std::string& known : node.streams) all += "\"" + known + "\", ";
  refuse(Code::name_invalid,
         fmt::format("\"{}\" has no stream \"{}\"; it has {}\"errors\"", node.name, stream, all));
}

void DrivenTopology::keep(const std::string& name, const std::string& stream, const BatchType& type,
                          const MakeKeeper& make) {
  refuse_when_begun("output(\"" + name + "\")");
  Node& kept = node(name, "an output");
  if (!kept.make_sink) {
    const std::uint32_t port = port_of(kept, stream);
    const BatchType* its = port == kErrorsPort ? &batch_type<DeadLetter>() : kept.output_of(port);
    check_type(kept, its, type, "output");
    return keep({{kept.id, port, {}, 0}}, make);
  }
  const NodeInput& input = kept.inputs.front();
  const BatchType* its = input.port == kErrorsPort ? &batch_type<DeadLetter>()
                                                   : graph_.node(input.from).output_of(input.port);
  check_type(kept, its, type, "output");
  kept.make_sink = [make, next = kept.make_sink] { return make(next()); };
}

void DrivenTopology::keep(const std::vector<NodeInput>& inputs, const MakeKeeper& make) {
  refuse_when_begun("output");
  Node node;
  node.kind = "test output";
  node.inputs = inputs;
  node.tasks = 1;
  node.make_sink = [make] { return make(nullptr); };
  graph_.add(std::move(node));
}

SteppedRun& DrivenTopology::begun() {
  if (run_) return *run_;
  if (const auto problems = graph_.validate(); !problems.empty()) throw Error(problems.front());
  note_operators();
  auto run = std::make_unique<SteppedRun>(graph_, plan_, options_, env_);
  must(run->open());
  run_ = std::move(run);
  must(run_->settle());
  return *run_;
}

void DrivenTopology::note_operators() {
  for (const Node& known : graph_.nodes()) {
    Node& node = graph_.node(known.id);
    const auto noted = [this, name = node.name](std::function<std::unique_ptr<Operator>()> make) {
      return [this, name, make = std::move(make)] {
        std::unique_ptr<Operator> made = make();
        operators_.emplace(name, made.get());
        return made;
      };
    };
    if (node.make_operator) node.make_operator = noted(node.make_operator);
    if (!node.two_phase) continue;
    node.two_phase->combine = noted(node.two_phase->combine);
    node.two_phase->merge = noted(node.two_phase->merge);
  }
}

void DrivenTopology::inspect(const std::string& name, StateQuery& query) {
  (void)begun();
  (void)node(name, "asked for its state");
  bool has_state = false;
  const auto [from, to] = operators_.equal_range(name);
  for (auto at = from; at != to; ++at) {
    auto* const its = dynamic_cast<Inspectable*>(at->second);
    if (its == nullptr) continue;
    has_state = true;
    query.known.clear();
    its->inspect(query);
  }
  if (has_state) return;
  refuse(Code::parameter_invalid,
         "\"" + name +
             "\" has no states or timers of keys to look at: those are of process, connect and the "
             "verbs made of them");
}

std::vector<HeldAggregate> DrivenTopology::held(const std::string& name) {
  (void)begun();
  (void)node(name, "asked for its aggregates");
  std::unique_ptr<HeldAggregates> held;
  const auto [from, to] = operators_.equal_range(name);
  for (auto at = from; at != to; ++at) {
    if (auto* const its = dynamic_cast<HoldsAggregates*>(at->second)) its->add_held(held);
  }
  if (held) return held->all();
  refuse(Code::parameter_invalid,
         "\"" + name +
             "\" holds no aggregates to look at: those are of count, sum and the like, of windows "
             "or running; process has state(...)");
}

std::vector<KeptEntry> DrivenTopology::kept(const std::string& name) {
  (void)begun();
  (void)node(name, "asked for what it keeps");
  std::vector<KeptEntry> all;
  const auto [from, to] = operators_.equal_range(name);
  for (auto at = from; at != to; ++at) {
    StateWriter writer(0, 1);
    at->second->save_state(writer);
    if (!writer.status().ok()) throw Error(writer.status());
    tell_parts(writer.take(), [&all](const KeptEntry& entry) { all.push_back(entry); });
  }
  return all;
}

/// A source of files finds none of the machine's.
void DrivenTopology::must(const Status& status) const {
  if (status.ok()) return;
  if (status.code() != Code::source_failed) throw Error(status);
  throw Error(Status(status.code(),
                     status.message() +
                         "; a test driver reads no file of the machine: put_file(...) gives it "
                         "one, or input<Record>(...) stands in for the source"));
}

void DrivenTopology::settle() { must(begun().settle()); }

void DrivenTopology::advance(Duration by) {
  if (by < Duration(0))
    refuse(Code::parameter_invalid, "advance_clock: time does not go back; give 0 or more");
  must(begun().advance(by));
}

void DrivenTopology::stop() { must(begun().stop()); }

void DrivenTopology::set_active(bool active) {
  begun().set_active(active);
  settle();
}

Report DrivenTopology::report() { return begun().report(); }

const ComponentReport& DrivenTopology::component(const Report& report,
                                                 const std::string& name) const {
  const auto found = std::ranges::find(report.components, name, &ComponentReport::name);
  if (found == report.components.end())
    refuse(Code::name_invalid, "there is no component \"" + name + "\"");
  return *found;
}

}  // namespace millrace::detail
