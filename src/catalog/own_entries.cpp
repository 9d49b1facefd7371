// Components of one's own as entries beside those that come with Millrace.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "catalog/entry.hpp"
#include "catalog/source_time.hpp"

namespace millrace::detail {
namespace {

ParamInfo param_of(const Parameter& parameter) {
  ParamInfo info{.name = parameter.name, .type = ParamType::text, .doc = parameter.doc};
  if (const auto* const text = std::get_if<std::string>(&parameter.standard)) {
    info.standard = *text;
  } else if (const auto* const whole = std::get_if<std::int64_t>(&parameter.standard)) {
    info.type = ParamType::integer;
    info.standard = std::to_string(*whole);
  } else if (const auto* const number = std::get_if<double>(&parameter.standard)) {
    info.type = ParamType::number;
    info.standard = fmt::format("{}", *number);
  } else if (const auto* const flag = std::get_if<bool>(&parameter.standard)) {
    info.type = ParamType::flag;
    info.standard = *flag ? "true" : "false";
  } else {
    info.type = ParamType::duration;
    info.standard = format_duration(std::get<Duration>(parameter.standard));
  }
  return info;
}

Parameters values_of(const std::vector<Parameter>& parameters, const Settings& settings) {
  Parameters::Values values;
  for (const Parameter& parameter : parameters) {
    auto value = parameter.standard;
    if (settings.has(parameter.name)) {
      std::visit(
          [&](auto& typed) {
            using V = std::decay_t<decltype(typed)>;
            if constexpr (std::is_same_v<V, std::string>) {
              typed = settings.text(parameter.name);
            } else if constexpr (std::is_same_v<V, std::int64_t>) {
              typed = settings.integer(parameter.name);
            } else if constexpr (std::is_same_v<V, double>) {
              typed = settings.number(parameter.name);
            } else if constexpr (std::is_same_v<V, bool>) {
              typed = settings.flag(parameter.name);
            } else {
              typed = settings.duration(parameter.name);
            }
          },
          value);
    }
    values.emplace(parameter.name, std::move(value));
  }
  return Parameters(std::move(values));
}

MadeStreams make_own(const Making& making, const OwnComponent& own) {
  Graph& graph = making.topology.declaration().graph;
  const auto first = static_cast<NodeId>(graph.nodes().size());
  const Parameters with = values_of(own.parameters, making.settings);
  const OwnRows rows = own.is_spout ? own.begin(making.topology, with)
                                    : own.follow(making.input->rows, *making.input->schema, with);
  if (!rows.wrong.empty()) {
    making.mistakes.add(making.text.place,
                        fmt::format("{} does not fit its rows: {}", own.name, rows.wrong));
    return MadeStreams::none();
  }
  graph.rename(rows.from.front().node, making.text.id);
  const RowStream stream = row_stream(making.topology.declaration(), rows.from, rows.schema);
  MadeStreams made = MadeStreams::of(
      own.is_spout ? row_stream(with_time(making, stream.rows, rows.schema), rows.schema) : stream);
  for (NodeId id = first; id < graph.nodes().size(); ++id) made.made_by.push_back(id);
  return made;
}

}  // namespace

Result<Entries> entries_with(const Components& components) {
  Entries entries = standard_entries();
  for (const OwnComponent& own : components.all()) {
    if (entries.contains(own.name)) {
      return Status(Code::name_invalid,
                    fmt::format("a component of your own is called \"{}\", as another one is: give "
                                "it a name of its own",
                                own.name));
    }
    Entry entry{own.name,
                own.is_spout ? EntryRole::source : EntryRole::verb,
                own.doc,
                {},
                [own](const Making& making) { return make_own(making, own); }};
    for (const Parameter& parameter : own.parameters) entry.params.push_back(param_of(parameter));
    if (own.is_spout) {
      for (ParamInfo& info : time_params()) entry.params.push_back(std::move(info));
    }
    entry.takes_tasks = false;
    entries.emplace(own.name, std::move(entry));
  }
  return entries;
}

}  // namespace millrace::detail
