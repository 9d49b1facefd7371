// Spouts by name: json_lines, csv, tsv, lines.
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "catalog/entry.hpp"
#include "connector/row_sources.hpp"
#include "millrace/sources.hpp"

namespace millrace::detail {
namespace {

std::vector<ParamInfo> source_params(std::vector<ParamInfo> own) {
  std::vector<ParamInfo> all = {
      {.name = "path",
       .type = ParamType::text,
       .required = true,
       .doc =
           "a file (plain, gzip or zstd), a pattern such as logs/*.gz, or - for standard input"}};
  for (ParamInfo& info : own) all.push_back(std::move(info));
  all.push_back({.name = "follow",
                 .type = ParamType::flag,
                 .standard = "false",
                 .doc = "reads on when the file grows, and never ends"});
  all.push_back({.name = "repeat",
                 .type = ParamType::flag,
                 .standard = "false",
                 .doc = "begins again at the file's end, for ever"});
  return all;
}

ParamInfo fields_param() {
  return {.name = "fields",
          .type = ParamType::schema,
          .required = true,
          .doc =
              "each field and its type: bool, int, double, text or timestamp; \"text or null\" "
              "where it may be null"};
}
ParamInfo unit_param() {
  return {.name = "time_unit",
          .type = ParamType::choice,
          .standard = "milliseconds",
          .doc = "what a number for a timestamp counts",
          .choices = {"seconds", "milliseconds", "microseconds", "nanoseconds"}};
}
ParamInfo time_param() {
  return {.name = "event_time",
          .type = ParamType::event_time,
          .doc =
              "a map: field, the timestamp that says when; out_of_order, how far records may "
              "lie behind; lap, what repeat adds to the times"};
}

TimeUnit unit_of(const Settings& settings) {
  const std::string& name = settings.text("time_unit");
  if (name == "seconds") return TimeUnit::seconds;
  if (name == "microseconds") return TimeUnit::microseconds;
  return name == "nanoseconds" ? TimeUnit::nanoseconds : TimeUnit::milliseconds;
}

Endpoint endpoint_of(const Settings& settings) {
  const std::string& path = settings.text("path");
  return settings.flag("follow") ? follow(path) : Endpoint(path);
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

/// The stream with its event time, as the parameter says.
Stream<RowRef> timed(const Making& making, Stream<RowRef> rows, const RowSchemaPtr& schema) {
  const ConfigNode* const map = making.settings.node("event_time");
  if (map == nullptr) return rows;
  static const std::vector<std::string> kKeys = {"field", "out_of_order", "lap"};
  for (const auto& [key, value] : map->entries) {
    if (std::find(kKeys.begin(), kKeys.end(), key.text) != kKeys.end()) continue;
    const std::string near = nearest_word(key.text, kKeys);
    making.mistakes.add(key.place, fmt::format("event_time has no \"{}\"{}", key.text,
                                               near.empty() ? "; it has field, out_of_order, lap"
                                                            : ": did you mean \"" + near + "\"?"));
  }
  const ConfigNode* const name = map->find("field");
  if (name == nullptr) {
    making.mistakes.add(map->place, "event_time needs \"field\": the timestamp that says when");
    return rows;
  }
  const auto field = schema->find(name->text);
  if (!field) {
    const std::string near = nearest_word(name->text, schema->names());
    making.mistakes.add(name->place,
                        fmt::format("there is no field \"{}\"{}", name->text,
                                    near.empty() ? "" : ": did you mean \"" + near + "\"?"));
    return rows;
  }
  const ColumnInfo& info = schema->fields()[*field];
  if (info.type != ColumnType::timestamp || info.optional) {
    making.mistakes.add(name->place, fmt::format("\"{}\" cannot be the event time: make it a "
                                                 "timestamp that is never null",
                                                 info.name));
    return rows;
  }
  const EventTimeOptions options = {span_of(making, *map, "out_of_order"),
                                    span_of(making, *map, "lap")};
  return rows.event_time(TimeField{*field}, options).named(making.text.id + " time");
}

template <class Make>
MadeStreams made(const Making& making, const char* kind, RowSchemaPtr schema,
                 LineInputOptions input, Make make) {
  input.repeat = making.settings.flag("repeat");
  const auto tasks = static_cast<std::uint32_t>(making.text.parallelism.value_or(1));
  const Stream<RowRef> rows = making.topology
                                  .from(source_of<RowRef>(kind, endpoint_of(making.settings), tasks,
                                                          std::move(input), std::move(make)))
                                  .named(making.text.id);
  return MadeStreams::of(row_stream(timed(making, rows, schema), schema));
}

MadeStreams make_json(const Making& making) {
  auto schema = std::make_shared<const RowSchema>(making.settings.schema("fields"));
  return made(making, "json lines", schema, {},
              [schema, unit = unit_of(making.settings)](const LineInputOptions& input) {
                return std::make_unique<RowJsonSource>(input, RowJsonFormat(schema, unit));
              });
}

char character(const Making& making, std::string_view name) {
  const std::string& text = making.settings.text(name);
  if (text.size() == 1) return text.front();
  if (text == "\\t") return '\t';
  making.wrong(name, fmt::format("\"{}\" is one character", name));
  return ',';
}

MadeStreams make_csv(const Making& making) {
  auto schema = std::make_shared<const RowSchema>(making.settings.schema("fields"));
  CsvFormatOptions format;
  format.dialect = {character(making, "separator"), character(making, "quote")};
  format.unit = unit_of(making.settings);
  format.header = making.settings.flag("header");
  LineInputOptions input;
  input.quotes = {format.dialect.quote, format.dialect.separator};
  return made(making, "csv", schema, input, [schema, format](const LineInputOptions& from) {
    return std::make_unique<RowCsvSource>(from, RowCsvFormat(schema, format));
  });
}

MadeStreams make_lines(const Making& making) {
  auto schema = std::make_shared<const RowSchema>(
      std::vector<ColumnInfo>{{making.settings.text("field"), ColumnType::text}});
  return made(making, "lines", schema, {}, [schema](const LineInputOptions& input) {
    return std::make_unique<RowLineSource>(input, RowLineFormat(schema));
  });
}

void add(Entries& entries, std::string name, std::string doc, std::vector<ParamInfo> params,
         MadeStreams (*make)(const Making&)) {
  Entry entry{name, EntryRole::source, std::move(doc), std::move(params), make};
  entries.emplace(std::move(name), std::move(entry));
}

}  // namespace

void add_source_entries(Entries& entries) {
  add(entries, "json_lines", "a JSON object a line",
      source_params({fields_param(), unit_param(), time_param()}), make_json);
  for (const bool tabs : {false, true}) {
    add(entries, tabs ? "tsv" : "csv",
        tabs ? "rows of CSV with tabs between the cells" : "rows of CSV (RFC 4180)",
        source_params({fields_param(),
                       unit_param(),
                       time_param(),
                       {.name = "separator",
                        .type = ParamType::text,
                        .standard = tabs ? "\t" : ",",
                        .doc = "between the cells"},
                       {.name = "quote",
                        .type = ParamType::text,
                        .standard = "\"",
                        .doc = "around texts that hold separators"},
                       {.name = "header",
                        .type = ParamType::flag,
                        .standard = "true",
                        .doc = "the first line names the columns; else they are the fields in "
                               "their order"}}),
        make_csv);
  }
  add(entries, "lines", "the lines of a text file, one field each",
      source_params({{.name = "field",
                      .type = ParamType::text,
                      .standard = "line",
                      .doc = "what the line is called"}}),
      make_lines);
}

}  // namespace millrace::detail
