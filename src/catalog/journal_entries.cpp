// The spout journal, with the files that may come before it.
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "catalog/entry.hpp"
#include "catalog/row_params.hpp"
#include "catalog/source_time.hpp"
#include "connector/row_sources.hpp"
#include "millrace/history_then.hpp"
#include "millrace/journal_ends.hpp"
#include "operator/replay_range.hpp"

namespace millrace::detail {
namespace {

constexpr const char* kAtTime = "a time such as 2015-09-12T06:00:00Z";

/// The files of `history`, by their format.
SourceOf<RowRef> stored_rows(const Making& making, const RowSchemaPtr& schema) {
  const Settings& settings = making.settings;
  const Endpoint files(settings.text("history"));
  const std::string& format = settings.text("history_format");
  const TimeUnit unit = unit_of(settings);
  if (format == "json_lines") {
    return source_of<RowRef>(
        "json lines", files, 1, {}, [schema, unit](const LineInputOptions& input) {
          return std::make_unique<RowJsonSource>(input, RowJsonFormat(schema, unit));
        });
  }
  CsvFormatOptions options;
  options.dialect = {format == "tsv" ? '\t' : ',', '"'};
  options.unit = unit;
  LineInputOptions input;
  input.quotes = {options.dialect.quote, options.dialect.separator};
  return source_of<RowRef>(
      format, files, 1, input, [schema, options](const LineInputOptions& from) {
        return std::make_unique<RowCsvSource>(from, RowCsvFormat(schema, options));
      });
}

/// `live`, or what `history` and `switch_at` make of it; nullopt: a mistake was noted.
std::optional<SourceOf<RowRef>> behind_history(const Making& making, const RowSchemaPtr& schema,
                                               SourceOf<RowRef> live) {
  const Settings& settings = making.settings;
  const bool has_switch = settings.has("switch_at");
  if (!settings.has("history") && !has_switch) return live;
  const auto wrong = [&making](const char* parameter, const std::string& message) {
    making.wrong(parameter, message);
    return std::nullopt;
  };
  if (!settings.has("history")) {
    return wrong("switch_at", "\"switch_at\" is where \"history\" ends: give that as well");
  }
  const auto at = parse_replay_bound(settings.text("switch_at"));
  const bool is_place =
      at && (at->kind == ReplayBound::Kind::time || at->kind == ReplayBound::Kind::offset);
  if (!has_switch || !is_place) {
    return wrong(has_switch ? "switch_at" : "history",
                 fmt::format("\"history\" ends at \"switch_at\", {}, or an offset", kAtTime));
  }
  if (live.tasks != 1) return wrong("history", "one task reads both: take \"parallelism\" away");
  const ConfigNode* const time = settings.node("event_time");
  const ConfigNode* const name = time != nullptr ? time->find("field") : nullptr;
  const auto field = name != nullptr ? schema->find(name->text) : std::nullopt;
  if (!field || schema->fields()[*field].type != ColumnType::timestamp) {
    return wrong("history",
                 "\"history\" ends by the times of its rows: give \"event_time\" with its field");
  }
  return millrace::history(stored_rows(making, schema), TimeField{*field})
      .then(std::move(live), settings.text("switch_at"));
}

MadeStreams make_journal(const Making& making) {
  const Settings& settings = making.settings;
  auto schema = std::make_shared<const RowSchema>(settings.schema("fields"));
  const JournalInput input{settings.text("folder"), settings.text("topic"), settings.text("from"),
                           settings.flag("follow"), settings.text("until")};
  if (!journal_start_is_good(input.from)) {
    making.wrong("from", std::string("\"from\" is earliest, latest, an offset, or ") + kAtTime);
    return MadeStreams::none();
  }
  if (!journal_end_is_good(input.until)) {
    making.wrong("until", std::string("\"until\" is latest, an offset, or ") + kAtTime);
    return MadeStreams::none();
  }
  const auto tasks = static_cast<std::uint32_t>(making.text.parallelism.value_or(1));
  const auto source = behind_history(
      making, schema,
      journal_source<RowRef>(input, tasks, [schema, unit = unit_of(settings)](JournalInput from) {
        return std::make_unique<JournalSource<RowRef, RowJsonFormat>>(std::move(from),
                                                                      RowJsonFormat(schema, unit));
      }));
  if (!source) return MadeStreams::none();
  const Stream<RowRef> rows = making.topology.from(*source).named(making.text.id);
  return timed_rows(making, rows, schema);
}

std::vector<ParamInfo> journal_params() {
  std::vector<ParamInfo> all = {
      {.name = "folder", .type = ParamType::text, .required = true, .doc = "the journal"},
      {.name = "topic", .type = ParamType::text, .required = true, .doc = "of the journal"},
      fields_param(),
      unit_param(),
      {.name = "from",
       .type = ParamType::text,
       .standard = "earliest",
       .doc = "where each partition begins: earliest, latest, an offset or a time"},
      {.name = "until",
       .type = ParamType::text,
       .standard = "",
       .doc = "where each partition ends, before that record: latest, an offset or a time; empty: "
              "nowhere"},
      {.name = "follow",
       .type = ParamType::flag,
       .standard = "true",
       .doc = "goes on with what comes; else it ends where the topic ended at the start"},
      {.name = "history",
       .type = ParamType::text,
       .doc = "a file or pattern: its rows before switch_at come first, then those of the journal "
              "from there"},
      {.name = "history_format",
       .type = ParamType::choice,
       .standard = "json_lines",
       .doc = "of history",
       .choices = {"json_lines", "csv", "tsv"}},
      {.name = "switch_at",
       .type = ParamType::text,
       .doc = "a time, or the offset where each partition of the journal goes on behind all of "
              "history"}};
  for (ParamInfo& info : time_params()) all.push_back(std::move(info));
  return all;
}

}  // namespace

void add_journal_entries(Entries& entries) {
  entries.emplace("journal", Entry{"journal", EntryRole::source,
                                   "the records of a journal's topic whose values are JSON objects",
                                   journal_params(), make_journal});
}

}  // namespace millrace::detail
