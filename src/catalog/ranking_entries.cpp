// Bolts by name that rank an aggregate of windows: top, trend.
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "catalog/entry.hpp"

namespace millrace::detail {
namespace {

/// The place of the value to rank by among the values of an aggregate; a mistake where there is
/// none.
std::optional<std::size_t> ranked_value(const Making& making, const RowSchema& schema) {
  const std::size_t keys = schema.role().keys;
  const std::size_t values = schema.shown() - keys;
  const ConfigNode* const by = making.settings.node("by");
  if (by == nullptr) {
    if (values == 1) return 0;
    making.wrong("by", "top needs \"by\": the value to rank by, as the aggregate has several");
    return std::nullopt;
  }
  const auto field = schema.find(by->text);
  if (field && *field >= keys && *field < schema.shown()) return *field - keys;
  std::vector<std::string> names;
  for (std::size_t at = keys; at < schema.shown(); ++at) names.push_back(schema.fields()[at].name);
  const std::string near = nearest_word(by->text, names);
  making.mistakes.add(by->place,
                      fmt::format("the aggregate has no value \"{}\"{}", by->text,
                                  near.empty() ? fmt::format("; it has {}", fmt::join(names, ", "))
                                               : ": did you mean \"" + near + "\"?"));
  return std::nullopt;
}

MadeStreams make_top(const Making& making) {
  const RowSchema& schema = *making.ranked->schema;
  const auto value = ranked_value(making, schema);
  if (!value) return MadeStreams::none();
  const ColumnInfo& info = schema.fields()[schema.role().keys + *value];
  const bool number = info.type == ColumnType::integer || info.type == ColumnType::real;
  if (!number || info.optional) {
    making.wrong("by", fmt::format("top ranks numbers that are never null, \"{}\" is of type {}{}",
                                   info.name, column_type_name(info.type),
                                   info.optional ? " and may be null" : ""));
    return MadeStreams::none();
  }
  const RowStream ranked =
      making.ranked->top(static_cast<std::size_t>(making.settings.integer("n")), *value);
  (void)ranked.rows.named(making.text.id);
  return MadeStreams::of(ranked);
}

MadeStreams make_trend(const Making& making) {
  if (!making.ranked->trend) {
    making.mistakes.add(making.text.type_place,
                        "trend compares numbers that add up: it reads a count or a sum, not other "
                        "aggregates or several at once");
    return MadeStreams::none();
  }
  TrendOptions options;
  options.half_life = making.settings.duration("half_life");
  options.learn_windows = static_cast<std::uint32_t>(making.settings.integer("learn_windows"));
  options.rare = making.settings.number("rare");
  return making.ranked->trend(options, making);
}

}  // namespace

void add_ranking_entries(Entries& entries) {
  Entry top{"top",
            EntryRole::verb,
            "the n greatest of each window, ranked from 1; ties by key",
            {{.name = "n",
              .type = ParamType::integer,
              .required = true,
              .doc = "how many",
              .least = 1,
              .most = 1e9},
             {.name = "by",
              .type = ParamType::field,
              .doc = "the value to rank by, where the aggregate has several"}},
            make_top};
  top.ranks = true;
  top.takes_tasks = false;
  entries.emplace("top", std::move(top));
  Entry trend{"trend",
              EntryRole::aggregate,
              "how far each window's value lies above what its key was used to",
              {{.name = "half_life",
                .type = ParamType::duration,
                .standard = "30min",
                .doc = "after this time a window weighs half"},
               {.name = "learn_windows",
                .type = ParamType::integer,
                .standard = "5",
                .doc = "windows that are only learnt from before the first score",
                .least = 1,
                .most = 1e9},
               {.name = "rare",
                .type = ParamType::number,
                .standard = "1",
                .doc = "added to the variance, in rows: greater for fewer trends of rare keys"}},
              make_trend};
  trend.ranks = true;
  entries.emplace("trend", std::move(trend));
}

}  // namespace millrace::detail
