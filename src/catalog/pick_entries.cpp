// Bolts by name that let rows through by their key and time: restore_order, deduplicate, ...
#include <optional>
#include <utility>
#include <vector>

#include "catalog/entry.hpp"
#include "catalog/row_events.hpp"
#include "catalog/row_keys.hpp"
#include "operator/row_picks.hpp"

namespace millrace::detail {
namespace {

/// The rows that `pick(keyed stream)` lets through.
template <class Pick>
MadeStreams picked(const Making& making, Pick pick) {
  const Stream<RowRef> rows =
      with_keyed_rows(*making.input, making.key,
                      [&](const auto& keyed, bool) -> Stream<RowRef> { return pick(keyed); });
  return making.same_rows(rows);
}

MadeStreams make_deduplicate(const Making& making) {
  const Duration within = making.settings.duration("within");
  return picked(making, [within](const auto& keyed) { return keyed.deduplicate(within); });
}

MadeStreams make_latest(const Making& making) {
  const Duration span = making.settings.duration("span");
  return picked(making, [span](const auto& keyed) { return keyed.latest(span); });
}

MadeStreams make_throttle(const Making& making) {
  const auto limit = static_cast<std::uint32_t>(making.settings.integer("limit"));
  const Duration per = making.settings.duration("per");
  return picked(making, [limit, per](const auto& keyed) { return keyed.throttle(limit, per); });
}

/// Rows with their rank in front; a row takes the place of the one of the same rank and key.
RowSchemaPtr ranked_schema(const Making& making) {
  std::vector<ColumnInfo> fields = {{"rank", ColumnType::integer}};
  const auto& own = making.input->schema->fields();
  fields.insert(fields.end(), own.begin(), own.end());
  if (std::string twice = repeated_field(fields); !twice.empty()) {
    making.wrong("n", std::move(twice));
    return nullptr;
  }
  RowRole role;
  role.row_keys = {"rank"};
  for (const std::size_t key : making.key) role.row_keys.push_back(own[key].name);
  return std::make_shared<const RowSchema>(std::move(fields), std::move(role));
}

/// The field that tells items apart, if there is one; nullopt: a mistake.
std::optional<std::vector<std::size_t>> ranked_item(const Making& making) {
  std::vector<std::size_t> fields;
  const ConfigNode* const item = making.settings.node("item");
  if (item == nullptr) return fields;
  const auto field = making.field(*item);
  if (!field) return std::nullopt;
  fields.push_back(*field);
  return fields;
}

MadeStreams make_ranking(const Making& making) {
  const auto by = number_field(making, *making.settings.node("by"), "ranking is by a number");
  const RowSchemaPtr schema = ranked_schema(making);
  const auto item = ranked_item(making);
  if (!by || !schema || !item) return MadeStreams::none();
  const auto n = static_cast<std::size_t>(making.settings.integer("n"));
  const RankedForm<RowRef> form{schema, {}};
  const Stream<RowRef> ranked =
      with_keyed_rows(*making.input, making.key, [&](const auto& keyed, bool) -> Stream<RowRef> {
        using Key = typename std::decay_t<decltype(keyed)>::KeyType;
        const auto ranks = [&](auto told_apart) -> Stream<RowRef> {
          return running_top<RowRef, Key>(keyed.stream(), keyed.key(), keyed.key_names(), n, *by,
                                          told_apart, form);
        };
        if (item->empty()) return ranks(EachRecord{});
        return ranks(KeyFields(*item));
      });
  return MadeStreams::of(row_stream(making.finished(ranked), schema));
}

/// A share of the rows; or by time, of all or of each key.
MadeStreams make_sample(const Making& making) {
  const Stream<RowRef>& rows = making.input->rows;
  if (making.settings.node("fraction")) {
    return making.same_rows(
        rows.sample(making.settings.number("fraction"),
                    static_cast<std::uint64_t>(making.settings.integer("seed"))));
  }
  const auto span = every(making.settings.duration("every"));
  if (making.key.empty()) return making.same_rows(rows.sample(span));
  return picked(making, [span](const auto& keyed) { return keyed.sample(span); });
}

/// Of all rows, or of each key where they are grouped by fields.
MadeStreams make_restore_order(const Making& making) {
  const OrderedStream<RowRef> ordered =
      making.key.empty() ? making.input->rows.restore_order()
                         : with_keyed_rows(*making.input, making.key, [](const auto& keyed, bool) {
                             return keyed.restore_order();
                           });
  MadeStreams made = making.same_rows(ordered);
  made.streams.emplace("late", row_stream(ordered.late(), making.input->schema));
  return made;
}

void add(Entries& entries, std::string name, std::string doc, std::vector<ParamInfo> params,
         MadeStreams (*make)(const Making&), Keyed keyed) {
  Entry entry{name, EntryRole::verb, std::move(doc), std::move(params), make};
  entry.keyed = keyed;
  entries.emplace(std::move(name), std::move(entry));
}

}  // namespace

void add_pick_entries(Entries& entries) {
  add(entries, "deduplicate", "the first row of each key, then none within a span of event time",
      {{.name = "within",
        .type = ParamType::duration,
        .standard = "0s",
        .doc = "so long none passes; 0s: for all time"}},
      make_deduplicate, Keyed::needed);
  add(entries, "latest", "the latest row of each key and span of event time",
      {{.name = "span",
        .type = ParamType::duration,
        .required = true,
        .doc = "how long; a span begins with a row"}},
      make_latest, Keyed::needed);
  add(entries, "ranking",
      "the n rows of each key with the greatest numbers, kept up to date: a row for each place "
      "that "
      "another row holds from now on",
      {{.name = "n",
        .type = ParamType::integer,
        .required = true,
        .doc = "how many",
        .least = 1,
        .most = 1e6},
       {.name = "by", .type = ParamType::field, .required = true, .doc = "the number; null: last"},
       {.name = "item",
        .type = ParamType::field,
        .doc = "of rows that are equal here only the latest ranks; else each row"}},
      make_ranking, Keyed::needed);
  add(entries, "sample",
      "a share of the rows, the same ones whatever the parallelism; or the latest of each span of "
      "event time, of all or (grouped by fields) of each key",
      {{.name = "fraction",
        .type = ParamType::number,
        .doc = "of the rows, more than 0, at most 1",
        .least = 0,
        .most = 1},
       {.name = "every",
        .type = ParamType::duration,
        .doc = "the span, in place of fraction; spans begin at multiples of theirs"},
       {.name = "seed",
        .type = ParamType::integer,
        .standard = "1",
        .doc = "of fraction: another seed keeps other rows",
        .least = 0}},
      make_sample, Keyed::optional);
  entries.at("sample").one_of = {"fraction", "every"};
  add(entries, "throttle", "at most so many rows of each key in any span of event time",
      {{.name = "limit",
        .type = ParamType::integer,
        .required = true,
        .doc = "how many rows",
        .least = 1,
        .most = 1e9},
       {.name = "per", .type = ParamType::duration, .required = true, .doc = "the span"}},
      make_throttle, Keyed::needed);
  add(entries, "restore_order",
      "the rows in the order of event time, all or (grouped by fields) of each key; those that "
      "come too late go to the stream late",
      {}, make_restore_order, Keyed::optional);
}

}  // namespace millrace::detail
