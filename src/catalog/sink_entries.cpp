// Bolts by name that end a stream: view, log, csv, print, journal.
#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "catalog/endpoint_words.hpp"
#include "catalog/entry.hpp"
#include "catalog/geo_entries.hpp"
#include "millrace/journal_ends.hpp"
#include "millrace/sinks.hpp"
#include "millrace/table_end.hpp"

namespace millrace::detail {
namespace {

const std::vector<std::string> kViewKinds = {"automatic", "top",    "table", "alerts",
                                             "line",      "number", "grid",  "map"};

MadeStreams make_view_end(const Making& making) {
  const Settings& settings = making.settings;
  ViewSettings view;
  for (std::size_t at = 0; at < kViewKinds.size(); ++at) {
    if (kViewKinds[at] == settings.text("kind")) view.kind = static_cast<ViewKind>(at);
  }
  view.rows_max = static_cast<std::size_t>(settings.integer("rows_max"));
  view.x = settings.text("x");
  if (settings.has("y")) view.y = ColumnNames(settings.text("y"));
  view.series = settings.text("series");
  view.measure = settings.text("measure");
  view.unit = settings.text("unit");
  view.keep = settings.duration("keep");
  if (settings.has("circle") || settings.has("polygon")) {
    if (auto area = area_of(making)) view.areas.push_back(std::move(*area));
  }
  const std::string title = settings.has("title") ? settings.text("title") : making.text.id;
  making.input->rows.to(millrace::view(title, view)).named(making.text.id);
  return MadeStreams::end();
}

std::vector<ParamInfo> view_params() {
  std::vector<ParamInfo> params = {
      {.name = "title", .type = ParamType::text, .doc = "its heading; else the id"},
      {.name = "kind",
       .type = ParamType::choice,
       .standard = "automatic",
       .doc = "how it is drawn",
       .choices = kViewKinds},
      {.name = "rows_max",
       .type = ParamType::integer,
       .standard = "0",
       .doc = "rows or points kept; 0: as the kind needs",
       .least = 0,
       .most = 10000},
      {.name = "x",
       .type = ParamType::text,
       .doc = "line, number, grid: what runs to the right; map: the longitude"},
      {.name = "y",
       .type = ParamType::text,
       .doc = "line, number: the number drawn; grid: the row; map: the latitude"},
      {.name = "series",
       .type = ParamType::text,
       .doc = "line: a line for each of its values; map: what is there"},
      {.name = "measure",
       .type = ParamType::text,
       .doc = "grid, map: the number that colours a cell or place"},
      {.name = "unit", .type = ParamType::text, .doc = "shown behind numbers"},
      {.name = "keep",
       .type = ParamType::duration,
       .standard = "0s",
       .doc = "line, number: how far back points are kept; 0s: all"}};
  for (ParamInfo& area : area_params()) {
    area.doc = "map: an area that is drawn; " + area.doc;
    params.push_back(std::move(area));
  }
  return params;
}

MadeStreams make_serve_table(const Making& making) {
  const Settings& settings = making.settings;
  ServedSettings served;
  served.keep = settings.duration("keep");
  served.sessions = settings.flag("sessions");
  if (const ConfigNode* const key = settings.node("key")) {
    for (const ConfigNode& item : key->items) {
      const auto field = making.field(item);
      if (!field) return MadeStreams::none();
      served.key.push_back(making.input->schema->fields()[*field].name);
    }
  }
  making.input->rows.to(millrace::table(making.text.id, served)).named(making.text.id);
  return MadeStreams::end();
}

/// What `folder` and its parameters say; nullopt: no folder, or a mistake that was noted.
std::optional<RolledFolder> rolled_of(const Making& making) {
  const Settings& settings = making.settings;
  const bool rolls = settings.has("folder");
  for (const char* of_folder : {"roll_bytes", "roll_every"}) {
    if (settings.has(of_folder) && !rolls) {
      making.wrong(of_folder,
                   fmt::format("\"{}\" needs \"folder\": one file is never whole", of_folder));
    }
  }
  if (!rolls) return std::nullopt;
  if (settings.flag("append")) {
    making.wrong("append", "\"append\" is of \"path\": what a folder holds stays anyway");
  }
  const auto bytes = parse_bytes(settings.text("roll_bytes"));
  if (!bytes || *bytes == 0) {
    making.wrong("roll_bytes", "\"roll_bytes\" is a number of bytes such as 64M or 1G");
  }
  const Duration every = settings.duration("roll_every");
  if (every <= Duration::zero()) {
    making.wrong("roll_every", "\"roll_every\" is more than 0s");
  }
  return rolled(settings.text("folder"), {.bytes = bytes.value_or(1), .every = every});
}

MadeStreams make_log(const Making& making) {
  const auto folder = rolled_of(making);
  LogSpec spec =
      folder ? millrace::log(*folder)
             : millrace::log(endpoint_of(making.settings, false), making.settings.flag("append"));
  spec.idempotency_key = making.settings.flag("idempotency_key");
  making.input->rows.to(std::move(spec)).named(making.text.id);
  return MadeStreams::end();
}

MadeStreams make_print(const Making& making) {
  making.input->rows.to(millrace::print()).named(making.text.id);
  return MadeStreams::end();
}

MadeStreams make_csv_end(const Making& making) {
  CsvOutput output;
  const std::string& separator = making.settings.text("separator");
  if (separator.size() != 1) making.wrong("separator", "\"separator\" is one character");
  output.separator = separator.empty() ? ',' : separator.front();
  output.header = making.settings.flag("header");
  output.append = making.settings.flag("append");
  const auto folder = rolled_of(making);
  making.input->rows
      .to(folder ? millrace::csv(*folder, output)
                 : millrace::csv(endpoint_of(making.settings, false), output))
      .named(making.text.id);
  return MadeStreams::end();
}

MadeStreams make_write_journal(const Making& making) {
  const Settings& settings = making.settings;
  JournalWriting writing;
  writing.partitions = static_cast<std::uint32_t>(settings.integer("partitions"));
  writing.durable = settings.flag("durable");
  if (const ConfigNode* const key = settings.node("key")) {
    if (!making.field(*key)) return MadeStreams::none();
    writing.key = key->text;
  }
  making.input->rows.to(journal(settings.text("folder"), settings.text("topic"), writing))
      .named(making.text.id);
  return MadeStreams::end();
}

std::vector<ParamInfo> write_journal_params() {
  return {{.name = "folder",
           .type = ParamType::text,
           .required = true,
           .doc = "the journal, made when it is not there"},
          {.name = "topic", .type = ParamType::text, .required = true, .doc = "of the journal"},
          {.name = "key", .type = ParamType::field, .doc = "the field that is the record's key"},
          {.name = "partitions",
           .type = ParamType::integer,
           .standard = "1",
           .doc = "of a topic that is made",
           .least = 1,
           .most = 4096},
          {.name = "durable",
           .type = ParamType::flag,
           .standard = "true",
           .doc = "what was written survives a loss of power, not the end of the process alone"}};
}

void add_sink(Entries& entries, std::string name, std::string doc, std::vector<ParamInfo> params,
              MadeStreams (*make)(const Making&)) {
  Entry entry{name, EntryRole::sink, std::move(doc), std::move(params), make};
  entry.takes_tasks = false;
  const bool writes = std::any_of(entry.params.begin(), entry.params.end(),
                                  [](const ParamInfo& info) { return info.name == "exec"; });
  if (writes) {
    entry.one_of = endpoint_names();
    entry.one_of.push_back("folder");
  }
  entries.emplace(std::move(name), std::move(entry));
}

ParamInfo append_param() {
  return {.name = "append",
          .type = ParamType::flag,
          .standard = "false",
          .doc = "keeps what the file holds"};
}
std::vector<ParamInfo> folder_params() {
  return {{.name = "folder",
           .type = ParamType::text,
           .doc = "gets whole files, one behind the other; the one that grows is hidden"},
          {.name = "roll_bytes",
           .type = ParamType::text,
           .standard = "128M",
           .doc = "folder: a file of so many bytes is whole"},
          {.name = "roll_every",
           .type = ParamType::duration,
           .standard = "1h",
           .doc = "folder: so long after its first record a file is whole"}};
}
/// Those of an end that writes text.
std::vector<ParamInfo> text_params(std::vector<ParamInfo> own) {
  std::vector<ParamInfo> all =
      endpoint_params("the file; - is standard output", "a shell command that reads it");
  all.push_back(append_param());
  for (ParamInfo& info : folder_params()) all.push_back(std::move(info));
  for (ParamInfo& info : own) all.push_back(std::move(info));
  return all;
}

}  // namespace

void add_sink_entries(Entries& entries) {
  add_sink(entries, "view", "shows the rows on the page", view_params(), make_view_end);
  // The verb is table; the end is serve_table.
  add_sink(
      entries, "serve_table",
      "keeps the rows by key, to be asked over REST while the topology runs; of changes (of table, "
      "join_tables) the rows that are",
      {{.name = "key",
        .type = ParamType::fields,
        .doc = "what tells rows apart; else the key of an aggregate, or the rank"},
       {.name = "keep",
        .type = ParamType::duration,
        .standard = "0s",
        .doc = "event time after which a row is no longer there, behind the end of its window, or "
               "its last change; 0s: it stays"},
       {.name = "sessions",
        .type = ParamType::flag,
        .standard = "false",
        .doc = "of sessions that emit more than once: a row replaces those within its bounds"}},
      make_serve_table);
  add_sink(
      entries, "log", "writes rows as JSON lines",
      text_params({{.name = "idempotency_key",
                    .type = ParamType::flag,
                    .standard = "false",
                    .doc = "a last member of that name is the same when the row comes again after "
                           "a crash"}}),
      make_log);
  add_sink(entries, "print", "writes rows as JSON lines to standard output", {}, make_print);
  // The source is csv; among bolts the end is write_csv.
  add_sink(entries, "write_csv", "writes rows as CSV",
           text_params({{.name = "separator",
                         .type = ParamType::text,
                         .standard = ",",
                         .doc = "between the cells"},
                        {.name = "header",
                         .type = ParamType::flag,
                         .standard = "true",
                         .doc = "the first line names the columns"}}),
           make_csv_end);
  // So is journal; among bolts the end is write_journal.
  add_sink(entries, "write_journal", "appends rows as JSON objects to a journal's topic",
           write_journal_params(), make_write_journal);
}

}  // namespace millrace::detail
