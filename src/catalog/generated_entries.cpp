// Spouts by name that read no text: generate, machine.
#include <charconv>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "catalog/entry.hpp"
#include "catalog/source_time.hpp"
#include "connector/row_generator.hpp"
#include "millrace/sources.hpp"
#include "operator/record_rows.hpp"

namespace millrace::detail {
namespace {

struct MadeField {
  ColumnType type;
  FieldRule rule;
};

template <class N>
std::optional<N> number_of(const std::string& text) {
  N number{};
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

std::optional<MadeField> random_field(const std::vector<std::string>& args) {
  if (args.size() != 2) return std::nullopt;
  const auto least = number_of<std::int64_t>(args[0]);
  const auto most = number_of<std::int64_t>(args[1]);
  if (least && most) {
    if (*least > *most) return std::nullopt;
    return MadeField{ColumnType::integer, RandomNumber{*least, *most}};
  }
  const auto low = number_of<double>(args[0]);
  const auto high = number_of<double>(args[1]);
  if (!low || !high || !(*low < *high)) return std::nullopt;
  return MadeField{ColumnType::real, RandomReal{*low, *high}};
}

/// The field that "random(1, 6)" and its like say; nullopt where its arguments do not fit.
std::optional<MadeField> field_of(const Call& call) {
  const auto& args = call.args;
  if (call.name == "index" && args.empty()) return MadeField{ColumnType::integer, IndexField{}};
  if (call.name == "random") return random_field(args);
  if (call.name == "modulo" && args.size() == 1) {
    const auto values = number_of<std::uint64_t>(args[0]);
    if (!values || *values == 0) return std::nullopt;
    return MadeField{ColumnType::integer, ModuloField{*values}};
  }
  if (call.name == "time" && args.size() == 2) {
    const auto start = parse_iso_time(args[0]);
    const auto step = parse_duration(args[1]);
    if (!start || !step) return std::nullopt;
    return MadeField{ColumnType::timestamp, SteadyTimes{*start, step->count()}};
  }
  if ((call.name == "choice" || call.name == "cycle") && !args.empty()) {
    return MadeField{ColumnType::text, OneOfTexts{args, call.name == "cycle"}};
  }
  return std::nullopt;
}

/// Why the rule of a field is none, in a sentence.
std::string wrong_rule(const ConfigNode& name, const ConfigNode& node,
                       const std::optional<Call>& call) {
  static const std::vector<std::string> kRules = {"index", "modulo", "random",
                                                  "time",  "choice", "cycle"};
  const std::string near = call ? nearest_word(call->name, kRules) : "";
  const bool misspelt = !near.empty() && near != call->name;
  return fmt::format(
      "\"{}\" is index(), modulo(10), random(1, 6), random(0.0, 1.0), "
      "time(2024-01-01T00:00:00Z, 1s), choice(a, b) or cycle(a, b), found {}{}",
      name.text, node.is_scalar() ? node.text : node.words(),
      misspelt ? ": did you mean \"" + near + "\"?" : "");
}

MadeStreams make_generate(const Making& making) {
  std::vector<ColumnInfo> infos;
  std::vector<FieldRule> rules;
  bool good = true;
  for (const auto& [name, node] : making.settings.node("fields")->entries) {
    const auto call = node.is_scalar() ? parse_call(node.text) : std::nullopt;
    const auto made = call ? field_of(*call) : std::nullopt;
    if (!made) making.mistakes.add(node.place, wrong_rule(name, node, call));
    good &= made.has_value();
    if (!made) continue;
    infos.push_back({name.text, made->type});
    rules.push_back(made->rule);
  }
  if (infos.empty() && good) making.wrong("fields", "generate needs at least one field");
  if (!good || infos.empty()) return MadeStreams::none();
  const auto schema = std::make_shared<const RowSchema>(std::move(infos));
  const RowGenerator rows(schema, std::make_shared<const std::vector<FieldRule>>(std::move(rules)),
                          static_cast<std::uint64_t>(making.settings.integer("seed")));
  std::optional<std::uint64_t> count;
  if (making.settings.has("count")) {
    count = static_cast<std::uint64_t>(making.settings.integer("count"));
  }
  const auto tasks = static_cast<std::uint32_t>(making.text.parallelism.value_or(1));
  const auto partitions = static_cast<std::uint32_t>(making.settings.integer("partitions"));
  const SourceOf<RowRef> source{"generator", "", tasks, [rows, count, partitions] {
                                  return std::make_unique<GeneratorSource<RowRef, RowGenerator>>(
                                      rows, count, partitions);
                                }};
  const Stream<RowRef> stream = making.topology.from(source).named(making.text.id);
  return timed_rows(making, stream, schema);
}

MadeStreams make_machine(const Making& making) {
  const Stream<MachineReading> readings =
      making.topology.from(machine({.interval = making.settings.duration("every")}))
          .named(making.text.id);
  const Stream<MachineReading> timed =
      readings.event_time(&MachineReading::time).named(making.text.id + " time");
  const RowSchemaPtr schema = schema_of_records<MachineReading>();
  Node node = operator_node<RecordRows<MachineReading>>("rows", timed.inputs({}));
  node.output = &batch_type<RowRef>();
  Declaration& declaration = making.topology.declaration();
  const NodeId id = declaration.graph.add(std::move(node));
  declaration.graph.rename(id, making.text.id + " rows");
  MadeStreams outlets = MadeStreams::of(row_stream(declaration, {{id, 0}}, schema));
  outlets.made_by = {readings.from().front().node, timed.from().front().node};
  return outlets;
}

}  // namespace

void add_generated_entries(Entries& entries) {
  std::vector<ParamInfo> params = {
      {.name = "fields",
       .type = ParamType::rules,
       .required = true,
       .doc = "each field and how it follows from the row's index: index(), modulo(10), "
              "random(1, 6), random(0.0, 1.0), time(2024-01-01T00:00:00Z, 1s), choice(a, b), "
              "cycle(a, b)"},
      {.name = "count",
       .type = ParamType::integer,
       .doc = "how many rows; else without end",
       .least = 0},
      {.name = "seed",
       .type = ParamType::integer,
       .standard = "1",
       .doc = "another seed gives other random values",
       .least = 0},
      {.name = "partitions",
       .type = ParamType::integer,
       .standard = "1",
       .doc = "partition p holds the rows p, p + partitions, ...",
       .least = 1,
       .most = 4096}};
  for (ParamInfo& info : time_params()) params.push_back(std::move(info));
  entries.emplace("generate", Entry{"generate", EntryRole::source,
                                    "rows made of their index, the same ones each time",
                                    std::move(params), make_generate});
  Entry machine{"machine",
                EntryRole::source,
                "what this machine is doing: rows of time, metric, instance, value, unit",
                {{.name = "every",
                  .type = ParamType::duration,
                  .standard = "1s",
                  .doc = "between two measurements"}},
                make_machine};
  machine.takes_tasks = false;
  entries.emplace("machine", std::move(machine));
}

}  // namespace millrace::detail
