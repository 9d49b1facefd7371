// Rows with what a command answers, or a file has, for each: by name.
#include "catalog/call_entries.hpp"

#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "catalog/row_keys.hpp"
#include "connector/asked_command.hpp"
#include "connector/file_lookup.hpp"

namespace millrace::detail {
namespace {

constexpr std::string_view kNoKey =
    "there is no key: give the streams to it the grouping {type: fields, args: [field]}, or leave "
    "this out";

/// The parameters of calls, of `what`; see CallOptions.
std::vector<ParamInfo> try_params() {
  return {{.name = "processes",
           .type = ParamType::integer,
           .standard = "1",
           .doc = "how many of the command run, a task; each is asked one thing at a time",
           .least = 1,
           .most = 64},
          {.name = "time_out",
           .type = ParamType::duration,
           .standard = "1s",
           .doc = "of one try; a command that takes longer is ended and started anew"},
          {.name = "tries",
           .type = ParamType::integer,
           .standard = "1",
           .doc = "how often it is tried",
           .least = 1,
           .most = 1000},
          {.name = "back_off",
           .type = ParamType::duration,
           .standard = "100ms",
           .doc = "between the first try and the second; twice as long before each further one, "
                  "up to a minute"},
          {.name = "deadline",
           .type = ParamType::duration,
           .standard = "0s",
           .doc = "of all tries of a row together; 0s: none"},
          {.name = "ordered",
           .type = ParamType::flag,
           .standard = "true",
           .doc = "results leave in the order of the rows, grouped by fields in that of each "
                  "key's; false: as they come; none past a watermark"}};
}

CallOptions call_options(const Settings& settings) {
  CallOptions options;
  options.threads = static_cast<std::size_t>(settings.integer("processes"));
  options.in_flight_max = options.threads;
  options.time_out = settings.duration("time_out");
  options.tries = static_cast<int>(settings.integer("tries"));
  options.back_off = settings.duration("back_off");
  options.deadline = settings.duration("deadline");
  options.ordered = settings.flag("ordered");
  return options;
}

/// The fields that a parameter lists; nullopt: a mistake.
std::optional<std::vector<std::size_t>> listed_fields(const Making& making,
                                                      std::string_view parameter) {
  std::vector<std::size_t> fields;
  for (const ConfigNode& name : making.settings.node(parameter)->items) {
    const auto field = making.field(name);
    if (!field) return std::nullopt;
    fields.push_back(*field);
  }
  return fields;
}

/// The fields of the rows, and behind them those that are found; null: a mistake.
RowSchemaPtr schema_with(const Making& making, bool may_be_missing) {
  std::vector<ColumnInfo> fields = making.input->schema->fields();
  for (ColumnInfo info : making.settings.schema("fields")) {
    info.optional |= may_be_missing;
    fields.push_back(std::move(info));
  }
  if (std::string twice = repeated_field(fields); !twice.empty()) {
    making.wrong("fields", std::move(twice));
    return nullptr;
  }
  return std::make_shared<const RowSchema>(std::move(fields));
}

/// Where rows come from, and the key of their grouping by fields, or null.
struct KeyedInput {
  std::vector<NodeInput> from;
  std::shared_ptr<const KeyHash> key;
};
KeyedInput keyed_input(const Making& making) {
  if (making.key.empty()) return {making.input->rows.inputs({}), nullptr};
  return with_keyed_rows(*making.input, making.key, [](const auto& keyed, bool) -> KeyedInput {
    return {keyed.stream().inputs({GroupingKind::fields, keyed.key()}), keyed.key()};
  });
}

/// Adds the component that `Op` is.
template <class Op, class... Args>
MadeStreams finding(const Making& making, const char* kind, const CallOptions& options,
                    Status problem, const RowSchemaPtr& schema, Args... args) {
  KeyedInput input = keyed_input(making);
  Node node = operator_node<FindsForRows<Op>>(kind, std::move(input.from), making.input->schema,
                                              schema, std::move(args)..., input.key);
  node.output = &batch_type<RowRef>();
  node.note = call_note(options, input.key != nullptr);
  node.problem = std::move(problem);
  Declaration& declaration = making.input->rows.declaration();
  const NodeId id = declaration.graph.add(std::move(node));
  return MadeStreams::of(
      row_stream(making.finished(row_stream(declaration, {{id, 0}}, schema).rows), schema));
}

/// What a text of the file says as a value of such a field; nullopt: it is none.
std::optional<Value> constant_of(const ColumnInfo& info, const ConfigNode& node) {
  std::string line = "{";
  append_json_string(line, info.name);
  line += ':';
  if (info.type == ColumnType::text || info.type == ColumnType::timestamp) {
    append_json_string(line, node.text);
  } else {
    line += node.text;
  }
  const auto alone = std::make_shared<const RowSchema>(std::vector<ColumnInfo>{info});
  try {
    return AnswerReader(alone).read(line + "}")->front();
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

/// The answer that `fallback` says, by the fields that are found; nullopt: a mistake.
std::optional<RowValues> constant_answer(const Making& making, const RowSchema& fields) {
  RowValues values(fields.fields().size());
  std::vector<bool> given(values.size());
  for (const auto& [name, node] : making.settings.node("fallback")->entries) {
    const auto field = fields.find(name.text);
    if (!field) {
      making.mistakes.add(name.place, no_such_field(name.text, fields));
      return std::nullopt;
    }
    given[*field] = true;
    const ColumnInfo& info = fields.fields()[*field];
    if (node.is_null() && info.optional) continue;
    const auto value = node.is_scalar() ? constant_of(info, node) : std::nullopt;
    if (!value) {
      making.mistakes.add(node.place, fmt::format("\"{}\" is of type {}, found {}", info.name,
                                                  column_type_name(info.type),
                                                  node.is_scalar() ? node.text : node.words()));
      return std::nullopt;
    }
    values[*field] = *value;
  }
  for (std::size_t field = 0; field < values.size(); ++field) {
    const ColumnInfo& info = fields.fields()[field];
    if (given[field] || info.optional) continue;
    making.wrong("fallback",
                 fmt::format("the fallback lacks \"{}\", which is never null", info.name));
    return std::nullopt;
  }
  return values;
}

MadeStreams make_call(const Making& making) {
  const Settings& settings = making.settings;
  const RowSchemaPtr schema = schema_with(making, false);
  std::vector<std::size_t> sent(making.input->schema->fields().size());
  std::iota(sent.begin(), sent.end(), std::size_t{0});
  if (settings.has("send")) {
    auto listed = listed_fields(making, "send");
    if (!listed) return MadeStreams::none();
    sent = std::move(*listed);
  }
  if (!schema) return MadeStreams::none();
  const auto fields = std::make_shared<const RowSchema>(settings.schema("fields"));
  CallOptions options = call_options(settings);
  options.key_in_flight_max = static_cast<std::size_t>(settings.integer("key_in_flight_max"));
  const bool by_key = !making.key.empty();
  if (!by_key && options.key_in_flight_max != 1) {
    making.wrong("key_in_flight_max", std::string(kNoKey));
    return MadeStreams::none();
  }
  const Status problem = check_call_options(options, "call", by_key);
  const CommandCall call(AskedCommand(settings.text("exec"), fields, options.time_out),
                         RowAsJson(*making.input->schema, sent));
  using Found = std::optional<FoundForRow>;
  if (!settings.has("fallback")) {
    using Op = CallOperator<RowRef, Found, CommandCall>;
    return finding<Op>(making, "call", options, problem, schema, call, NoFallback{}, options);
  }
  const auto constant = constant_answer(making, *fields);
  if (!constant) return MadeStreams::none();
  using Op = CallOperator<RowRef, Found, CommandCall, ConstantAnswer>;
  return finding<Op>(making, "call", options, problem, schema, call, ConstantAnswer{*constant},
                     options);
}

LookupOptions lookup_options(const Settings& settings) {
  LookupOptions options;
  options.calls = call_options(settings);
  options.cache_max = static_cast<std::size_t>(settings.integer("cache_max"));
  options.expire = settings.duration("expire");
  options.keep_missing = settings.flag("keep_missing");
  options.batch_max = static_cast<std::size_t>(settings.integer("batch_max"));
  options.missing_on_failure = settings.flag("missing_on_failure");
  return options;
}

template <class Load>
MadeStreams looking_up(const Making& making, const LookupOptions& options,
                       const RowSchemaPtr& schema, const RowAsJson& key, const Load& load) {
  using Op = LookupOperator<RowRef, std::string, RowValues, RowAsJson, Load>;
  return finding<Op>(making, "lookup", options.calls, check_lookup_options(options), schema, key,
                     load, options);
}

/// How the file of a look-up is read; nullopt: a mistake.
std::optional<FileLookupOptions> file_of(const Making& making,
                                         const std::vector<std::size_t>& key) {
  const Settings& settings = making.settings;
  std::vector<ColumnInfo> keys;
  for (const std::size_t field : key) keys.push_back(making.input->schema->fields()[field]);
  std::vector<ColumnInfo> columns = keys;
  for (ColumnInfo& column : columns) column.optional = true;
  if (const ConfigNode* const names = settings.node("file_key")) {
    if (names->items.size() != key.size()) {
      making.wrong("file_key", fmt::format("the key has {} fields, that of the file {}", key.size(),
                                           names->items.size()));
      return std::nullopt;
    }
    for (std::size_t at = 0; at < key.size(); ++at) columns[at].name = names->items[at].text;
  }
  for (const ColumnInfo& info : settings.schema("fields")) columns.push_back(info);
  if (std::string twice = repeated_field(columns); !twice.empty()) {
    making.wrong("fields", std::move(twice));
    return std::nullopt;
  }
  return FileLookupOptions{settings.text("path"), settings.text("format") == "csv",
                           std::make_shared<const RowSchema>(std::move(columns)),
                           std::make_shared<const RowSchema>(std::move(keys)),
                           settings.duration("reload")};
}

MadeStreams make_lookup(const Making& making) {
  const Settings& settings = making.settings;
  const RowSchemaPtr schema = schema_with(making, true);
  const auto key = listed_fields(making, "key");
  if (!schema || !key) return MadeStreams::none();
  LookupOptions options = lookup_options(settings);
  const RowAsJson question(*making.input->schema, *key);
  if (settings.has("exec")) {
    const auto fields = std::make_shared<const RowSchema>(settings.schema("fields"));
    const CommandLookup load(AskedCommand(settings.text("exec"), fields, options.calls.time_out));
    return looking_up(making, options, schema, question, load);
  }
  options.cache_max = 0;  // the file lies in memory
  options.calls.threads = 1;
  const auto file = file_of(making, *key);
  if (!file) return MadeStreams::none();
  return looking_up(making, options, schema, question, FileLookup(*file));
}

ParamInfo found_param(std::string doc) {
  return {.name = "fields", .type = ParamType::schema, .required = true, .doc = std::move(doc)};
}

std::vector<ParamInfo> lookup_params() {
  std::vector<ParamInfo> params = {
      {.name = "exec",
       .type = ParamType::text,
       .doc = "a shell command that reads a JSON object with the key's fields a line and prints "
              "what it has for it, a JSON object or null, a line each"},
      {.name = "path",
       .type = ParamType::text,
       .doc = "a file of rows (plain, gzip or zstd), which each task holds in memory"},
      {.name = "key",
       .type = ParamType::fields,
       .required = true,
       .doc = "the fields by which it is looked up"},
      found_param("what is found, each field and its type; null where nothing is"),
      {.name = "format",
       .type = ParamType::choice,
       .standard = "csv",
       .doc = "of path: csv with a header, or a JSON object a line",
       .choices = {"csv", "json_lines"}},
      {.name = "file_key",
       .type = ParamType::fields,
       .doc = "of path: what the key's fields are called there, where that differs"},
      {.name = "reload",
       .type = ParamType::duration,
       .standard = "1min",
       .doc = "of path: it is read again when it is asked so long after; 0s: never"},
      {.name = "cache_max",
       .type = ParamType::integer,
       .standard = "10000",
       .doc = "of exec: keys whose values a task keeps, the most recently used; 0: none",
       .least = 0},
      {.name = "expire",
       .type = ParamType::duration,
       .standard = "0s",
       .doc = "of exec: how long a value is kept; 0s: for ever"},
      {.name = "keep_missing",
       .type = ParamType::flag,
       .standard = "true",
       .doc = "of exec: that there is nothing for a key is kept too"},
      {.name = "batch_max",
       .type = ParamType::integer,
       .standard = "100",
       .doc = "keys that are asked for at once",
       .least = 1},
      {.name = "missing_on_failure",
       .type = ParamType::flag,
       .standard = "false",
       .doc = "what could not be had is missing, in place of a dead letter"}};
  for (ParamInfo& info : try_params()) params.push_back(std::move(info));
  return params;
}

std::vector<ParamInfo> call_params() {
  std::vector<ParamInfo> params = {
      {.name = "exec",
       .type = ParamType::text,
       .required = true,
       .doc = "a shell command that reads rows as JSON objects, a line each, and prints an answer "
              "for each: a JSON object, null (the row goes no further) or {\"error\": \"why\"}"},
      {.name = "send", .type = ParamType::fields, .doc = "the fields that it is given; else all"},
      found_param("what it answers, each field and its type; they stand behind those of the row"),
      {.name = "fallback",
       .type = ParamType::constants,
       .doc = "what stands in for an answer when the tries are used up: field: value; else the row "
              "is a dead letter"}};
  for (ParamInfo& info : try_params()) params.push_back(std::move(info));
  params.push_back({.name = "key_in_flight_max",
                    .type = ParamType::integer,
                    .standard = "1",
                    .doc = "grouped by fields: rows of a key that are asked about at once",
                    .least = 1,
                    .most = 64});
  return params;
}

}  // namespace

void add_call_entries(Entries& entries) {
  Entry call{"call", EntryRole::verb,
             "asks a command about each row, and hands the row on with what it answers; grouped by "
             "fields, about one row of a key after the other",
             call_params(), make_call};
  call.keyed = Keyed::optional;
  entries.emplace("call", std::move(call));
  Entry lookup{"lookup", EntryRole::verb,
               "each row with what a file has for its key, or a command answers for it",
               lookup_params(), make_lookup};
  lookup.keyed = Keyed::optional;
  lookup.one_of = {"exec", "path"};
  entries.emplace("lookup", std::move(lookup));
}

}  // namespace millrace::detail
