// The bolt alert: raised and cleared by a number of each key, with hysteresis.
#include <utility>

#include "catalog/row_events.hpp"
#include "catalog/row_keys.hpp"

namespace millrace::detail {
namespace {

MadeStreams make_alert(const Making& making) {
  const auto number = number_field(making, *making.settings.node("of"), "alert watches a number");
  const RowSchemaPtr schema = event_schema(
      making, {{"time", ColumnType::timestamp}},
      {{"state", ColumnType::text}, {"value", ColumnType::real}, {"limit", ColumnType::real}});
  if (!number || !schema) return MadeStreams::none();
  AlertLimits limits;
  limits.high = making.settings.number("high");
  limits.low = making.settings.has("low") ? making.settings.number("low") : limits.high;
  limits.samples = static_cast<std::uint32_t>(making.settings.integer("samples"));
  if (const Status valid = validate(limits); !valid) {
    making.wrong("low", valid.message());
    return MadeStreams::none();
  }
  return with_keyed_rows(*making.input, making.key, [&](const auto& keyed, bool encoded) {
    const auto alerts = keyed.alert(*number, limits);
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
