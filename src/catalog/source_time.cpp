// Event time and ingestion time of spouts by name.
#include "catalog/source_time.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time.hpp"

namespace millrace::detail {
namespace {

const std::vector<std::string> kKeys = {"field",      "out_of_order", "lap",
                                        "idle_after", "align_within", "marks"};

void check_keys(const Making& making, const ConfigNode& map) {
  for (const auto& [key, value] : map.entries) {
    if (std::find(kKeys.begin(), kKeys.end(), key.text) != kKeys.end()) continue;
    const std::string near = nearest_word(key.text, kKeys);
    making.mistakes.add(
        key.place, fmt::format("event_time has no \"{}\"{}", key.text,
                               near.empty() ? fmt::format("; it has {}", fmt::join(kKeys, ", "))
                                            : ": did you mean \"" + near + "\"?"));
  }
}

/// A duration of the map event_time.
Duration span_of(const Making& making, const ConfigNode& map, const char* name) {
  const ConfigNode* const node = map.find(name);
  if (node == nullptr) return Duration(0);
  const auto span = parse_duration(node->text);
  if (!span || *span < Duration(0)) {
    making.mistakes.add(node->place,
                        fmt::format("\"{}\" is a time with its unit, such as 5s or 24h", name));
  }
  return span.value_or(Duration(0));
}

/// The timestamp that says when; a mistake where there is none.
std::optional<TimeField> time_field(const Making& making, const ConfigNode& map,
                                    const RowSchema& schema) {
  const ConfigNode* const name = map.find("field");
  if (name == nullptr) {
    making.mistakes.add(map.place, "event_time needs \"field\": the timestamp that says when");
    return std::nullopt;
  }
  const auto field = schema.find(name->text);
  if (!field) {
    making.mistakes.add(name->place, no_such_field(name->text, schema));
    return std::nullopt;
  }
  const ColumnInfo& info = schema.fields()[*field];
  if (info.type == ColumnType::timestamp && !info.optional) return TimeField{*field};
  making.mistakes.add(name->place, fmt::format("\"{}\" cannot be the event time: make it a "
                                               "timestamp that is never null",
                                               info.name));
  return std::nullopt;
}

}  // namespace

std::vector<ParamInfo> time_params() {
  return {{.name = "event_time",
           .type = ParamType::event_time,
           .doc = "a map: field, the timestamp that says when; out_of_order, how far rows may lie "
                  "behind; marks, a condition: time goes on at such rows alone; lap, what repeat "
                  "adds to the times; idle_after; align_within"},
          {.name = "ingestion_time",
           .type = ParamType::flag,
           .standard = "false",
           .doc = "the wall clock at reading is the time"}};
}

Stream<RowRef> with_time(const Making& making, const Stream<RowRef>& rows,
                         const RowSchemaPtr& schema) {
  const std::string name = making.text.id + " time";
  const ConfigNode* const map = making.settings.node("event_time");
  if (making.settings.flag("ingestion_time")) {
    if (map == nullptr) return rows.ingestion_time().named(name);
    making.wrong("ingestion_time",
                 "\"event_time\" and \"ingestion_time\" are given: leave one of them away");
    return rows;
  }
  if (map == nullptr) return rows;
  check_keys(making, *map);
  const auto field = time_field(making, *map, *schema);
  const EventTimeOptions options = {
      span_of(making, *map, "out_of_order"), span_of(making, *map, "lap"),
      span_of(making, *map, "idle_after"), span_of(making, *map, "align_within")};
  if (!field) return rows;
  const ConfigNode* const marks = map->find("marks");
  if (marks == nullptr) return rows.event_time(*field, options).named(name);
  auto parsed = parse_predicate(marks->text, *schema);
  if (const auto* const error = std::get_if<ExprError>(&parsed)) {
    making.mistakes.add(marks->place_of(error->offset), error->message);
    return rows;
  }
  return rows.event_time(*field, punctuated(std::get<Predicate>(std::move(parsed))), options)
      .named(name);
}

MadeStreams timed_rows(const Making& making, const Stream<RowRef>& source,
                       const RowSchemaPtr& schema) {
  const NodeId id = source.from().front().node;
  source.declaration().graph.node(id).row_schema = schema;
  MadeStreams outlets = MadeStreams::of(row_stream(with_time(making, source, schema), schema));
  outlets.made_by = {id};
  return outlets;
}

}  // namespace millrace::detail
