// Bolts by name that aggregate rows of a key: count, sum, ..., several at once.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "catalog/entry.hpp"
#include "catalog/row_aggregate.hpp"
#include "catalog/row_keys.hpp"
#include "catalog/row_part.hpp"

namespace millrace::detail {
namespace {

const std::vector<std::string> kAggregates = {
    "count",           "sum",    "min",        "max",       "mean",
    "distinct",        "first",  "last",       "exact_sum", "variance",
    "var_pop",         "stddev", "stddev_pop", "median",    "quantile",
    "distinct_approx", "list",   "set",        "top_k",     "top_k_approx",
    "quantiles"};

/// The part of `kind(names...)`, of some kinds with numbers behind the field; a mistake at `place`
/// where there is none.
std::optional<MadePart> part_of(const Making& making, const Place& place, const std::string& kind,
                                std::vector<std::string> names) {
  const RowSchema& schema = *making.input->schema;
  double share = 0;
  if (kind == "quantile") {
    const auto parsed = names.size() == 2 ? parse_share(names.back()) : std::nullopt;
    if (!parsed) {
      making.mistakes.add(place,
                          "quantile takes a field and a share from 0 to 1, such as "
                          "quantile(price, 0.99)");
      return std::nullopt;
    }
    share = *parsed;
    names.pop_back();
  }
  std::vector<std::string> behind;
  if (gives_list(kind) && !names.empty()) {
    behind.assign(names.begin() + 1, names.end());
    names.resize(1);
  }
  std::vector<std::size_t> fields;
  for (const std::string& name : names) {
    const auto field = schema.find(name);
    if (!field) {
      making.mistakes.add(place, no_such_field(name, schema));
      return std::nullopt;
    }
    fields.push_back(*field);
  }
  PartOrWhy part = named_part(kind, fields, share, behind, schema);
  if (auto* const why = std::get_if<std::string>(&part)) {
    making.mistakes.add(place, std::move(*why));
    return std::nullopt;
  }
  return std::get<MadePart>(std::move(part));
}

/// The kernel of one part alone, of a simple one its own.
RowAggregateKernel kernel_of(std::vector<RowPart> parts, const RowSchema& schema) {
  if (parts.size() == 1) {
    const RowPart& part = parts.front();
    if (std::holds_alternative<CountKernel>(part)) return CountKernel{};
    if (const auto* sum = std::get_if<SumKernel<RowRef, MaybeInteger>>(&part)) {
      if (!schema.fields()[sum->f.field].optional) {
        return SumKernel<RowRef, IntegerField>{{sum->f.field}};
      }
    }
    if (const auto* sum = std::get_if<SumKernel<RowRef, MaybeReal>>(&part)) {
      if (!schema.fields()[sum->f.field].optional) {
        return SumKernel<RowRef, RealField>{{sum->f.field}};
      }
    }
  }
  return RowKernel{{std::move(parts)}};
}

/// Notes where the windows are given twice, or are none that can be ranked.
bool fits_windows(const Making& making, const RowAggregate& what) {
  if (making.settings.has("window") && making.settings.has("over")) {
    making.wrong("over", "\"window\" and \"over\" are given: leave one of them away");
    return false;
  }
  if (!what.only_ranked) return true;
  if (what.windows && (std::holds_alternative<Windows>(*what.windows) ||
                       std::holds_alternative<FinalWindows>(*what.windows))) {
    return true;
  }
  making.wrong(making.settings.has("over") ? "over" : "window",
               what.windows
                   ? "top and trend rank the rows of windows that all keys share, one a key: "
                     "give a tumbling, sliding, cumulating, calendar or global window, after "
                     ".allowed_lateness with .final_only()"
                   : "top ranks the rows of windows: give a window");
  return false;
}

/// The rows with the wall clock's times, for windows that it cuts.
Stream<RowRef> by_clock(const Stream<RowRef>& rows, const RowWindows& windows) {
  return std::visit(
      [&](const auto& cut) {
        return stamped_by_clock(rows, ByClock<std::decay_t<decltype(cut)>>{cut});
      },
      windows);
}

MadeStreams by_key(const Stream<RowRef>& rows, const RowAggregate& what, KeyKind kind) {
  if (what.windows && refires(*what.windows)) return refiring_by_fields(rows, what);
  // What costs more than its key for each row has one kind of key: each takes long to compile.
  const bool own_windows = what.windows && !std::holds_alternative<Windows>(*what.windows);
  if (own_windows || what.last) return aggregate_by_fields(rows, what);
  switch (kind) {
    case KeyKind::integer:
      return aggregate_by_integer(rows, what);
    case KeyKind::text:
      return aggregate_by_text(rows, what);
    default:
      return aggregate_by_fields(rows, what);
  }
}

MadeStreams aggregate(const Making& making, std::string kind, std::vector<MadePart> parts) {
  const RowSchema& schema = *making.input->schema;
  RowAggregate what;
  what.id = making.text.id;
  what.kind = std::move(kind);
  what.key = making.key;
  what.tasks = making.text.parallelism;
  what.only_ranked = making.only_tops;
  Stream<RowRef> rows = making.input->rows;
  for (const char* const parameter : {"window", "over"}) {
    if (!making.settings.has(parameter)) continue;
    const RowCut& cut = making.settings.windows(parameter);
    what.windows = cut.windows;
    if (std::string why = bind_gap(*what.windows, schema); !why.empty()) {
      making.wrong(parameter, std::move(why));
      return MadeStreams::none();
    }
    what.last = cut.last;
    if (cut.by_clock) rows = by_clock(rows, cut.windows);
  }
  for (const std::size_t field : making.key) what.key_fields.push_back(schema.fields()[field]);
  std::vector<RowPart> row_parts;
  for (MadePart& part : parts) {
    row_parts.push_back(std::move(part.part));
    what.values.push_back(std::move(part.info));
  }
  if (const std::string twice = repeated_field(schema_of(what, false)->fields()); !twice.empty()) {
    making.wrong(making.settings.has("as") ? "as" : "values", twice);
    return MadeStreams::none();
  }
  if (!fits_windows(making, what)) return MadeStreams::none();
  // Simple kernels of their own are worth it where records are many and windows few.
  const bool own = !what.last && (!what.windows || std::holds_alternative<Windows>(*what.windows));
  what.kernel = own ? kernel_of(std::move(row_parts), schema) : RowKernel{{std::move(row_parts)}};
  return by_key(rows, what, key_kind(schema, what.key));
}

MadeStreams make_single(const Making& making, const std::string& kind) {
  std::vector<std::string> names;
  Place place = making.text.type_place;
  for (const char* parameter : {"of", "weight", "share", "shares", "most", "k", "counters"}) {
    const ConfigNode* const node = making.settings.node(parameter);
    if (node == nullptr) continue;
    place = node->place;
    if (node->is_list()) {
      for (const ConfigNode& item : node->items) names.push_back(item.text);
    } else {
      names.push_back(node->text);
    }
  }
  auto part = part_of(making, place, kind, names);
  if (!part) return MadeStreams::none();
  if (making.settings.has("as")) part->info.name = making.settings.text("as");
  std::vector<MadePart> parts;
  parts.push_back(std::move(*part));
  return aggregate(making, kind, std::move(parts));
}

/// Of "count(condition)": the number of rows for which it is true.
std::optional<MadePart> conditional_count(const Making& making, const ConfigNode& node,
                                          std::size_t open) {
  const std::string condition = node.text.substr(open, node.text.size() - open - 1);
  auto parsed = parse_predicate(condition, *making.input->schema);
  if (const auto* const error = std::get_if<ExprError>(&parsed)) {
    making.mistakes.add(node.place_of(open + error->offset), error->message);
    return std::nullopt;
  }
  return MadePart{SumKernel<RowRef, ConditionField>{{std::get<Predicate>(std::move(parsed))}},
                  {"count", ColumnType::integer}};
}

MadeStreams make_several(const Making& making) {
  std::vector<MadePart> parts;
  bool good = true;
  for (const auto& [name, node] : making.settings.node("values")->entries) {
    constexpr std::string_view kCount = "count(";
    if (node.text.starts_with(kCount) && node.text.ends_with(')') && node.text != "count()") {
      auto part = conditional_count(making, node, kCount.size());
      good &= part.has_value();
      if (!part) continue;
      part->info.name = name.text;
      parts.push_back(std::move(*part));
      continue;
    }
    const auto call = node.is_scalar() ? parse_call(node.text) : std::nullopt;
    if (!call) {
      making.mistakes.add(node.place,
                          fmt::format("\"{}\" is an aggregate of a field, such as "
                                      "max(price) or count(), found {}",
                                      name.text, node.is_scalar() ? node.text : node.words()));
      good = false;
      continue;
    }
    if (std::find(kAggregates.begin(), kAggregates.end(), call->name) == kAggregates.end()) {
      const std::string near = nearest_word(call->name, kAggregates);
      making.mistakes.add(
          node.place,
          fmt::format("there is no aggregate \"{}\"{}", call->name,
                      near.empty() ? fmt::format("; there are {}", fmt::join(kAggregates, ", "))
                                   : ": did you mean \"" + near + "\"?"));
      good = false;
      continue;
    }
    auto part = part_of(making, node.place, call->name, call->args);
    good &= part.has_value();
    if (!part) continue;
    part->info.name = name.text;
    parts.push_back(std::move(*part));
  }
  if (parts.empty() && good) making.wrong("values", "aggregate needs at least one value");
  if (!good || parts.empty()) return MadeStreams::none();
  return aggregate(making, "aggregate", std::move(parts));
}

ParamInfo window_param() {
  return {.name = "window",
          .type = ParamType::window,
          .doc =
              "tumbling(5min), sliding(6h, 15min), cumulating(24h, 1h), session(30min), "
              "session(patience, 1s) by the seconds in a field, daily(Europe/Berlin), weekly(UTC), "
              "monthly(UTC), quarterly(UTC), yearly(UTC), also "
              "with .offset(-2h), .by_clock(), .last(100), .allowed_lateness(10s), "
              ".early(every(1min)), .early(any_of(every(100), every(1s).by_clock())), "
              ".retracting() or .final_only(); count_window(100) or global(); without it the new "
              "value is emitted for every row"};
}
ParamInfo over_param() {
  return {.name = "over",
          .type = ParamType::over,
          .doc =
              "instead of window: last(100), last(5min) or last(5min).by_clock(), for every row a "
              "row over the last ones of its key"};
}
ParamInfo as_param(const std::string& kind) {
  return {
      .name = "as", .type = ParamType::text, .standard = kind, .doc = "what the result is called"};
}

/// What aggregates that give lists take besides their field.
std::vector<ParamInfo> list_params(const std::string& kind) {
  if (kind == "quantiles") {
    return {{.name = "shares",
             .type = ParamType::numbers,
             .required = true,
             .doc = "of the values, each 0 to 1: [0.5, 0.9, 0.99]"}};
  }
  const bool ranks = kind == "top_k" || kind == "top_k_approx";
  if (!gives_list(kind)) return {};
  std::vector<ParamInfo> params = {{.name = ranks ? "k" : "most",
                                    .type = ParamType::integer,
                                    .required = true,
                                    .doc = "how many values to keep",
                                    .least = 1}};
  if (kind == "top_k_approx") {
    params.push_back({.name = "counters",
                      .type = ParamType::integer,
                      .standard = "1000",
                      .doc = "as many counts are kept: more are more exact",
                      .least = 1});
  }
  return params;
}

void add_single(Entries& entries, const std::string& kind, std::string doc) {
  Entry entry{kind, EntryRole::aggregate, std::move(doc), {}, {}};
  if (kind == "distinct" || kind == "distinct_approx") {
    entry.params.push_back({.name = "of",
                            .type = ParamType::fields,
                            .required = true,
                            .doc = "the fields whose combinations are counted"});
  } else if (kind != "count") {
    entry.params.push_back(
        {.name = "of", .type = ParamType::field, .required = true, .doc = "the field"});
  }
  if (kind == "mean") {
    entry.params.push_back(
        {.name = "weight", .type = ParamType::field, .doc = "a field to weight the values by"});
  }
  if (kind == "quantile") {
    entry.params.push_back({.name = "share",
                            .type = ParamType::number,
                            .required = true,
                            .doc = "of the values, 0 to 1: 0.99 for the 99th percentile",
                            .least = 0,
                            .most = 1});
  }
  for (ParamInfo& info : list_params(kind)) entry.params.push_back(std::move(info));
  entry.params.push_back(window_param());
  entry.params.push_back(over_param());
  entry.params.push_back(as_param(kind));
  entry.make = [kind](const Making& making) { return make_single(making, kind); };
  entry.keyed = Keyed::or_global;
  entries.emplace(kind, std::move(entry));
}

}  // namespace

bool has_bounds(const RowAggregate& aggregate) {
  if (!aggregate.windows) return false;
  if (const auto* const shared = std::get_if<Windows>(&*aggregate.windows))
    return !shared->is_global();
  if (const auto* const again = std::get_if<RefiringWindows>(&*aggregate.windows))
    return !again->is_global();
  if (const auto* const last = std::get_if<FinalWindows>(&*aggregate.windows)) {
    return !last->refiring().is_global();
  }
  return !std::holds_alternative<LastRecords>(*aggregate.windows) &&
         !std::holds_alternative<LastSpan>(*aggregate.windows);
}

bool has_updates(const RowAggregate& aggregate) {
  return aggregate.windows &&
         (std::holds_alternative<RefiringWindows>(*aggregate.windows) ||
          std::holds_alternative<RefiringSessions<RowGap>>(*aggregate.windows));
}

RowSchemaPtr schema_of(const RowAggregate& aggregate, bool ranked) {
  std::vector<ColumnInfo> fields;
  if (ranked) fields.push_back({"rank", ColumnType::integer});
  fields.insert(fields.end(), aggregate.key_fields.begin(), aggregate.key_fields.end());
  fields.insert(fields.end(), aggregate.values.begin(), aggregate.values.end());
  const bool updates = has_updates(aggregate);
  if (updates) {
    fields.push_back({"firing", ColumnType::text});
    fields.push_back({"retracted", ColumnType::boolean});
  }
  const bool windowed = has_bounds(aggregate);
  if (windowed) {
    // Without event time so many records have no bounds.
    const bool optional = std::holds_alternative<CountWindows>(*aggregate.windows);
    fields.push_back({"window_start", ColumnType::timestamp, optional});
    fields.push_back({"window_end", ColumnType::timestamp, optional});
  }
  return std::make_shared<const RowSchema>(
      std::move(fields), RowRole{windowed, ranked, aggregate.key_fields.size(), updates});
}

void add_aggregate_entries(Entries& entries) {
  add_single(entries, "count", "the number of rows of each key");
  add_single(entries, "sum", "the sum of a number");
  add_single(entries, "min", "the least value");
  add_single(entries, "max", "the greatest value");
  add_single(entries, "mean", "the mean of a number");
  add_single(entries, "distinct", "how many different values there are");
  add_single(entries, "first", "the value of the earliest row by event time");
  add_single(entries, "last", "the value of the latest row by event time");
  add_single(entries, "exact_sum", "the sum of a real, rounded once");
  add_single(entries, "variance", "the variance of a sample");
  add_single(entries, "var_pop", "the variance of all there is");
  add_single(entries, "stddev", "the standard deviation of a sample");
  add_single(entries, "stddev_pop", "the standard deviation of all there is");
  add_single(entries, "median", "the median, about");
  add_single(entries, "quantile", "the value that a share of all does not exceed, about");
  add_single(entries, "distinct_approx", "how many different values there are, about");
  add_single(entries, "list", "the values of the earliest rows, in their order");
  add_single(entries, "set", "the different values, ascending");
  add_single(entries, "top_k", "the most frequent values with their counts");
  add_single(entries, "top_k_approx", "the most frequent values, about, in bounded memory");
  add_single(entries, "quantiles", "several quantiles, about");
  Entry several{"aggregate",
                EntryRole::aggregate,
                "several aggregates in one pass",
                {{.name = "values",
                  .type = ParamType::aggregates,
                  .required = true,
                  .doc = "name: aggregate(field), such as high: max(price), or count(condition)"},
                 window_param(),
                 over_param()},
                make_several};
  several.keyed = Keyed::or_global;
  entries.emplace("aggregate", std::move(several));
}

}  // namespace millrace::detail
