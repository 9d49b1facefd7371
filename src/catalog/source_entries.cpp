// Spouts by name: json_lines, csv, tsv, lines.
#include <utility>

#include <fmt/format.h>

#include "catalog/endpoint_words.hpp"
#include "catalog/entry.hpp"
#include "catalog/row_params.hpp"
#include "catalog/source_time.hpp"
#include "connector/row_sources.hpp"
#include "millrace/sources.hpp"

namespace millrace::detail {
namespace {

std::vector<ParamInfo> source_params(std::vector<ParamInfo> own) {
  std::vector<ParamInfo> all = endpoint_params(
      "a file (plain, gzip or zstd), a pattern such as logs/*.gz, or - for "
      "standard input",
      "a shell command that prints it");
  for (ParamInfo& info : own) all.push_back(std::move(info));
  all.push_back({.name = "follow",
                 .type = ParamType::flag,
                 .standard = "false",
                 .doc = "of path: reads on when the file grows, and never ends"});
  all.push_back({.name = "repeat",
                 .type = ParamType::flag,
                 .standard = "false",
                 .doc = "of path: begins again at the file's end, for ever"});
  return all;
}
/// Of sources whose rows have fields of their own.
std::vector<ParamInfo> parsed_params(std::vector<ParamInfo> own) {
  std::vector<ParamInfo> all = {fields_param(), unit_param()};
  for (ParamInfo& info : time_params()) all.push_back(std::move(info));
  all.push_back({.name = "ordered_by",
                 .type = ParamType::field,
                 .doc = "of a pattern: a timestamp or whole number by which the files' rows are "
                        "one stream in order"});
  for (ParamInfo& info : own) all.push_back(std::move(info));
  return source_params(std::move(all));
}

/// `follow`, `repeat` and `ordered_by` fit where the rows come from.
bool fits_endpoint(const Making& making) {
  const Settings& settings = making.settings;
  for (const char* const flag : {"follow", "repeat"}) {
    if (settings.has("path") || !settings.flag(flag)) continue;
    making.wrong(flag, fmt::format("\"{}\" is of files: give it with \"path\" alone", flag));
    return false;
  }
  const auto wrong_beside = [&](const char* other) {
    making.wrong("ordered_by", fmt::format("\"ordered_by\" merges the files of a pattern: take "
                                           "\"{}\" away",
                                           other));
    return false;
  };
  if (!settings.has("ordered_by")) return true;
  if (making.text.parallelism.value_or(1) > 1) return wrong_beside("parallelism");
  for (const char* const other : {"exec", "connect", "listen"}) {
    if (settings.has(other)) return wrong_beside(other);
  }
  for (const char* const flag : {"follow", "repeat"}) {
    if (settings.flag(flag)) return wrong_beside(flag);
  }
  return true;
}

/// `source` by the order of a field, where that is asked for.
std::optional<SourceOf<RowRef>> in_order(const Making& making, const RowSchema& schema,
                                         SourceOf<RowRef> source) {
  const ConfigNode* const name = making.settings.node("ordered_by");
  if (name == nullptr) return source;
  const auto field = schema.find(name->text);
  if (!field) {
    making.mistakes.add(name->place, no_such_field(name->text, schema));
    return std::nullopt;
  }
  const ColumnInfo& info = schema.fields()[*field];
  const bool fits = info.type == ColumnType::timestamp || info.type == ColumnType::integer;
  if (fits && !info.optional) return source.ordered_by(IntegerField{*field});
  making.mistakes.add(name->place,
                      fmt::format("\"{}\" is no order: take a timestamp or a whole number that "
                                  "is never null",
                                  info.name));
  return std::nullopt;
}

template <class Make>
MadeStreams made(const Making& making, const char* kind, RowSchemaPtr schema,
                 LineInputOptions input, Make make) {
  if (!fits_endpoint(making)) return MadeStreams::none();
  input.repeat = making.settings.flag("repeat");
  const auto tasks = static_cast<std::uint32_t>(making.text.parallelism.value_or(1));
  const Endpoint from = endpoint_of(making.settings, making.settings.flag("follow"));
  const auto source = in_order(
      making, *schema, source_of<RowRef>(kind, from, tasks, std::move(input), std::move(make)));
  if (!source) return MadeStreams::none();
  const Stream<RowRef> rows = making.topology.from(*source).named(making.text.id);
  return timed_rows(making, rows, schema);
}

MadeStreams make_json(const Making& making) {
  auto schema = std::make_shared<const RowSchema>(making.settings.schema("fields"));
  return made(making, "json lines", schema, {},
              [schema, unit = unit_of(making.settings)](const LineInputOptions& input) {
                return std::make_unique<RowJsonSource>(input, RowJsonFormat(schema, unit));
              });
}

std::vector<ParamInfo> line_params() {
  std::vector<ParamInfo> params = source_params({{.name = "field",
                                                  .type = ParamType::text,
                                                  .standard = "line",
                                                  .doc = "what the line is called"}});
  params.push_back(time_params().back());
  return params;
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

void add_source(Entries& entries, std::string name, std::string doc, std::vector<ParamInfo> params,
                MadeStreams (*make)(const Making&)) {
  Entry entry{name, EntryRole::source, std::move(doc), std::move(params), make};
  entry.one_of = endpoint_names();
  entries.emplace(std::move(name), std::move(entry));
}

}  // namespace

void add_source_entries(Entries& entries) {
  add_source(entries, "json_lines", "a JSON object a line", parsed_params({}), make_json);
  for (const bool tabs : {false, true}) {
    add_source(
        entries, tabs ? "tsv" : "csv",
        tabs ? "rows of CSV with tabs between the cells" : "rows of CSV (RFC 4180)",
        parsed_params({{.name = "separator",
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
  add_source(entries, "lines", "the lines of a text file, one field each", line_params(),
             make_lines);
}

}  // namespace millrace::detail
