// The bolt alert: raised and cleared by a number of each key, with hysteresis.
#include <utility>

#include <fmt/format.h>

#include "catalog/entry.hpp"
#include "catalog/row_keys.hpp"

namespace millrace::detail {
namespace {

RowSchemaPtr alert_schema(const Making& making) {
  std::vector<ColumnInfo> fields = {{"time", ColumnType::timestamp}};
  for (const std::size_t field : making.key) {
    fields.push_back(making.input->schema->fields()[field]);
  }
  fields.push_back({"state", ColumnType::text});
  fields.push_back({"value", ColumnType::real});
  fields.push_back({"limit", ColumnType::real});
  if (const std::string twice = repeated_field(fields); !twice.empty()) {
    making.mistakes.add(making.text.place, twice);
    return nullptr;
  }
  return std::make_shared<const RowSchema>(std::move(fields),
                                           RowRole{false, false, making.key.size()});
}

MadeStreams make_alert(const Making& making) {
  const auto field = making.field(*making.settings.node("of"));
  const RowSchemaPtr schema = alert_schema(making);
  if (!field || !schema) return MadeStreams::none();
  const ColumnInfo& info = making.input->schema->fields()[*field];
  if (info.type != ColumnType::integer && info.type != ColumnType::real) {
    making.wrong("of", fmt::format("alert watches a number, \"{}\" is of type {}", info.name,
                                   column_type_name(info.type)));
    return MadeStreams::none();
  }
  AlertLimits limits;
  limits.high = making.settings.number("high");
  limits.low = making.settings.has("low") ? making.settings.number("low") : limits.high;
  limits.samples = static_cast<std::uint32_t>(making.settings.integer("samples"));
  if (const Status valid = validate(limits); !valid) {
    making.wrong("low", valid.message());
    return MadeStreams::none();
  }
  const AnyNumber number{*field, info.type == ColumnType::real};
  return with_keyed_rows(*making.input, making.key, [&](const auto& keyed, bool encoded) {
    const auto alerts = keyed.alert(number, limits);
    using In = typename std::decay_t<decltype(alerts)>::Record;
    const NodeId id = alerts.from().front().node;
    emit_rows<In>(alerts.declaration(), id, schema, encoded);
    const RowStream rows = row_stream(alerts.declaration(), {{id, 0}}, schema);
    return MadeStreams::of(row_stream(making.finished(rows.rows), schema));
  });
}

}  // namespace

void add_alert_entries(Entries& entries) {
  Entry alert{"alert",
              EntryRole::verb,
              "a row when a number of a key rises above a limit, and when it falls below another",
              {{.name = "of", .type = ParamType::field, .required = true, .doc = "the number"},
               {.name = "high",
                .type = ParamType::number,
                .required = true,
                .doc = "raised by values above it"},
               {.name = "low",
                .type = ParamType::number,
                .doc = "cleared by the first value below it; else as high"},
               {.name = "samples",
                .type = ParamType::integer,
                .standard = "1",
                .doc = "how many values in a row raise it",
                .least = 1,
                .most = 1e9}},
              make_alert};
  alert.keyed = Keyed::needed;
  entries.emplace("alert", std::move(alert));
}

}  // namespace millrace::detail
