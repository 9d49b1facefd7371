// The bolts of places by name: distance, bearing, grid_cell, inside and geofence.
#include "catalog/geo_entries.hpp"

#include <charconv>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "catalog/row_events.hpp"
#include "catalog/row_keys.hpp"
#include "millrace/geo.hpp"
#include "operator/row_geo.hpp"

namespace millrace::detail {
namespace {

std::optional<AnyNumber> coordinate(const Making& making, const ConfigNode& name) {
  return number_field(making, name, "a coordinate is a number in degrees");
}

std::optional<PlaceFields> place_of(const Making& making) {
  const auto latitude = coordinate(making, *making.settings.node("latitude"));
  const auto longitude = coordinate(making, *making.settings.node("longitude"));
  if (!latitude || !longitude) return std::nullopt;
  return PlaceFields{*latitude, *longitude};
}

/// The numbers of a list; what is none is a mistake at its place.
std::optional<std::vector<double>> numbers_of(const Making& making, const char* parameter) {
  std::vector<double> numbers;
  for (const ConfigNode& item : making.settings.node(parameter)->items) {
    double number = 0;
    const char* const end = item.text.data() + item.text.size();
    const auto read = std::from_chars(item.text.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end || !std::isfinite(number)) {
      making.mistakes.add(item.place,
                          fmt::format("\"{}\" is a list of numbers, found {}", parameter,
                                      item.is_scalar() ? item.text : item.words()));
      return std::nullopt;
    }
    numbers.push_back(number);
  }
  return numbers;
}

std::optional<GeoArea> area_written(const Making& making) {
  const bool round = making.settings.has("circle");
  const auto numbers = numbers_of(making, round ? "circle" : "polygon");
  if (!numbers) return std::nullopt;
  if (round && numbers->size() != 3) {
    making.wrong("circle",
                 "a circle is latitude, longitude and radius in metres, such as "
                 "[49.0097, 2.5479, 30000]");
    return std::nullopt;
  }
  if (round) return circle({numbers->at(0), numbers->at(1)}, numbers->at(2));
  if (numbers->size() % 2 != 0) {
    making.wrong("polygon",
                 "a polygon is latitude and longitude of each corner in turn: there is "
                 "an odd number of them");
    return std::nullopt;
  }
  std::vector<GeoPoint> corners;
  for (std::size_t at = 0; at < numbers->size(); at += 2) {
    corners.push_back({numbers->at(at), numbers->at(at + 1)});
  }
  return polygon(std::move(corners));
}

/// The input's rows with further fields.
template <class Put>
MadeStreams rows_with(const Making& making, const char* kind, Put put,
                      std::vector<ColumnInfo> further) {
  std::vector<ColumnInfo> fields = making.input->schema->fields();
  for (ColumnInfo& info : further) fields.push_back(std::move(info));
  if (const std::string twice = repeated_field(fields); !twice.empty()) {
    making.wrong("as", twice);
    return MadeStreams::none();
  }
  const auto schema = std::make_shared<const RowSchema>(std::move(fields));
  Declaration& declaration = making.input->rows.declaration();
  Node node = operator_node<RowWith<Put>>(kind, making.input->rows.inputs({}), std::move(put),
                                          RowSchemaPtr(schema));
  node.output = &batch_type<RowRef>();
  const NodeId id = declaration.graph.add(std::move(node));
  const RowStream stream = row_stream(declaration, {{id, 0}}, schema);
  return MadeStreams::of(row_stream(making.finished(stream.rows), schema));
}

bool may_be_null(const Making& making, const PlaceFields& place) {
  const auto& fields = making.input->schema->fields();
  return fields[place.latitude.field].optional || fields[place.longitude.field].optional;
}

std::optional<Goal> goal_of(const Making& making) {
  if (making.settings.has("to")) {
    const auto numbers = numbers_of(making, "to");
    if (!numbers) return std::nullopt;
    if (numbers->size() == 2) return Goal{{numbers->at(0), numbers->at(1)}, std::nullopt};
    making.wrong("to", "a place is latitude and longitude, such as [49.0097, 2.5479]");
    return std::nullopt;
  }
  const std::vector<ConfigNode>& names = making.settings.node("to_fields")->items;
  if (names.size() != 2) {
    making.wrong("to_fields", "a place is two fields: its latitude and its longitude");
    return std::nullopt;
  }
  const auto latitude = coordinate(making, names[0]);
  const auto longitude = coordinate(making, names[1]);
  if (!latitude || !longitude) return std::nullopt;
  return Goal{{}, PlaceFields{*latitude, *longitude}};
}

MadeStreams make_measure(const Making& making, const char* kind,
                         double (*measure)(GeoPoint from, GeoPoint to)) {
  const auto place = place_of(making);
  const auto goal = goal_of(making);
  if (!place || !goal) return MadeStreams::none();
  const bool null =
      may_be_null(making, *place) || (goal->fields && may_be_null(making, *goal->fields));
  return rows_with(making, kind, PutMeasure{*place, *goal, measure},
                   {{making.settings.text("as"), ColumnType::real, null}});
}
MadeStreams make_distance(const Making& making) {
  return make_measure(making, "distance", distance_m);
}
MadeStreams make_bearing(const Making& making) { return make_measure(making, "bearing", bearing); }

MadeStreams make_grid_cell(const Making& making) {
  const auto place = place_of(making);
  if (!place) return MadeStreams::none();
  const std::string& as = making.settings.text("as");
  const bool null = may_be_null(making, *place);
  return rows_with(making, "grid_cell", PutCell{*place, making.settings.number("per_degree")},
                   {{as + "_latitude", ColumnType::integer, null},
                    {as + "_longitude", ColumnType::integer, null}});
}

MadeStreams make_inside(const Making& making) {
  const auto place = place_of(making);
  const auto area = area_of(making);
  if (!place || !area) return MadeStreams::none();
  return making.same_rows(making.input->rows.filter(RowInside{*place, *area}));
}

MadeStreams make_geofence(const Making& making) {
  const auto place = place_of(making);
  const auto area = area_of(making);
  const RowSchemaPtr schema = event_schema(making, {},
                                           {{"time", ColumnType::timestamp},
                                            {"event", ColumnType::text},
                                            {"latitude", ColumnType::real},
                                            {"longitude", ColumnType::real},
                                            {"from_border_m", ColumnType::real}});
  if (!place || !area || !schema) return MadeStreams::none();
  const Geofence fence{*area, making.settings.number("margin")};
  return with_keyed_rows(*making.input, making.key, [&](const auto& keyed, bool encoded) {
    using K = typename std::decay_t<decltype(keyed)>::K;
    using Out = Aggregate<K, RowValues>;
    const RowFenceStep<K> step{{fence, place->latitude, place->longitude}};
    const OrderedStream<RowRef> ordered = keyed.restore_order();
    const auto crossings =
        fenced<Out>(static_cast<const Stream<RowRef>&>(ordered), keyed, step, validate(fence));
    const NodeId id = crossings.from().front().node;
    emit_rows<Out>(crossings.declaration(), id, schema, encoded);
    const RowStream rows = row_stream(crossings.declaration(), {{id, 0}}, schema);
    MadeStreams made = MadeStreams::of(row_stream(making.finished(rows.rows), schema));
    made.streams.emplace("late", row_stream(ordered.late(), making.input->schema));
    made.made_by = {ordered.from().front().node};
    return made;
  });
}

/// The fields that are the place, and what else there is.
std::vector<ParamInfo> with_place(std::vector<ParamInfo> params) {
  std::vector<ParamInfo> all = {{.name = "latitude",
                                 .type = ParamType::field,
                                 .required = true,
                                 .doc = "in degrees, north is positive"},
                                {.name = "longitude",
                                 .type = ParamType::field,
                                 .required = true,
                                 .doc = "in degrees, east is positive"}};
  for (ParamInfo& info : params) all.push_back(std::move(info));
  return all;
}

std::vector<ParamInfo> measure_params(std::string as) {
  return with_place({{.name = "to",
                      .type = ParamType::numbers,
                      .doc = "a place that stays: [latitude, longitude]"},
                     {.name = "to_fields",
                      .type = ParamType::fields,
                      .doc = "or a place of the row: two fields, [latitude, longitude]"},
                     {.name = "as",
                      .type = ParamType::text,
                      .standard = std::move(as),
                      .doc = "what the new field is called"}});
}

void add(Entries& entries, std::string name, std::string doc, std::vector<ParamInfo> params,
         MadeStreams (*make)(const Making&), std::vector<std::string> one_of,
         Keyed keyed = Keyed::no) {
  Entry entry{name, EntryRole::verb, std::move(doc), std::move(params), make};
  entry.keyed = keyed;
  entry.one_of = std::move(one_of);
  entries.emplace(std::move(name), std::move(entry));
}

}  // namespace

std::vector<ParamInfo> area_params() {
  return {{.name = "circle",
           .type = ParamType::numbers,
           .doc = "the area: [latitude, longitude, radius in metres]"},
          {.name = "polygon",
           .type = ParamType::numbers,
           .doc = "or latitude and longitude of each corner in turn"}};
}

std::optional<GeoArea> area_of(const Making& making) {
  auto area = area_written(making);
  if (!area) return std::nullopt;
  const Status valid = area->validate();
  if (valid) return area;
  making.wrong(making.settings.has("circle") ? "circle" : "polygon", valid.message());
  return std::nullopt;
}

void add_geo_entries(Entries& entries) {
  add(entries, "distance", "the rows with the metres from their place to another",
      measure_params("distance_m"), make_distance, {"to", "to_fields"});
  add(entries, "bearing",
      "the rows with the direction from their place to another, in degrees clockwise from north",
      measure_params("bearing"), make_bearing, {"to", "to_fields"});
  add(entries, "grid_cell",
      "the rows with the cell of a grid that their place lies in: two whole numbers",
      with_place({{.name = "per_degree",
                   .type = ParamType::number,
                   .standard = "100",
                   .doc = "how many cells there are in a degree",
                   .least = 1e-3,
                   .most = 1e9},
                  {.name = "as",
                   .type = ParamType::text,
                   .standard = "cell",
                   .doc = "what the new fields are called, before _latitude and _longitude"}}),
      make_grid_cell, {});
  add(entries, "inside", "keeps the rows whose place lies in an area", with_place(area_params()),
      make_inside, {"circle", "polygon"});
  std::vector<ParamInfo> fence = with_place(area_params());
  fence.push_back({.name = "margin",
                   .type = ParamType::number,
                   .standard = "0",
                   .doc = "who is inside has left only when so many metres from the border",
                   .least = 0,
                   .most = 4e7});
  add(entries, "geofence",
      "a row when a key enters an area, and when it leaves it, in the order of event time; rows "
      "that "
      "come too late go to the stream late",
      std::move(fence), make_geofence, {"circle", "polygon"}, Keyed::needed);
}

}  // namespace millrace::detail
