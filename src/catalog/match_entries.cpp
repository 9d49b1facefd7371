// The bolt `match`: rows of a key that make a pattern, one after the other.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catalog/match_stages.hpp"
#include "catalog/row_keys.hpp"
#include "millrace/matched_stream.hpp"

namespace millrace::detail {
namespace {

/// What rows of matches show besides what they always have; nullopt: a mistake.
std::optional<std::vector<MatchNames::Value>> values_of(const Making& making,
                                                        const std::vector<MatchStageName>& stages) {
  std::vector<MatchNames::Value> values;
  const ConfigNode* const node = making.settings.node("values");
  if (node == nullptr) return values;
  const MatchNames names(*making.input->schema, stages);
  bool good = true;
  for (const auto& [name, text] : node->entries) {
    auto value = names.value(text.text);
    if (const auto* const why = std::get_if<std::string>(&value)) {
      making.mistakes.add(text.place, *why);
      good = false;
      continue;
    }
    values.push_back(std::get<MatchNames::Value>(std::move(value)));
    values.back().info.name = name.text;
  }
  return good ? std::optional(std::move(values)) : std::nullopt;
}

/// Of rows of matches, or of partial ones, which may lack any stage; null: a mistake.
RowSchemaPtr rows_schema(const Making& making, const std::vector<MatchNames::Value>& values,
                         bool each, bool partial) {
  const auto& own = making.input->schema->fields();
  std::vector<ColumnInfo> fields;
  if (each) {
    fields = {{"stage", ColumnType::text}, {"step", ColumnType::integer}};
  } else {
    for (const std::size_t field : making.key) fields.push_back(own[field]);
    fields.push_back({"time", ColumnType::timestamp});
  }
  for (const MatchNames::Value& value : values) {
    fields.push_back(value.info);
    fields.back().optional |= partial && value.field.stage != MatchedField::kAnyStage &&
                              value.field.of != MatchedField::Of::count;
  }
  if (each) fields.insert(fields.end(), own.begin(), own.end());
  if (std::string twice = repeated_field(fields); !twice.empty()) {
    making.wrong("values", std::move(twice));
    return nullptr;
  }
  RowRole role;
  if (!each) role.keys = making.key.size();
  return std::make_shared<const RowSchema>(std::move(fields), role);
}

/// The fields of keys that are encoded, as an image tells of them.
RowSchemaPtr key_schema(const Making& making) {
  std::vector<ColumnInfo> fields;
  for (const std::size_t field : making.key)
    fields.push_back(making.input->schema->fields()[field]);
  RowRole role;
  role.keys = fields.size();
  return std::make_shared<const RowSchema>(std::move(fields), role);
}

MadeStreams make_match(const Making& making) {
  const std::vector<MatchStageName> stages = match_stage_names(*making.settings.node("stages"));
  std::string note;
  auto pattern = match_pattern(making, stages, note);
  const auto values = stages.empty() ? std::nullopt : values_of(making, stages);
  if (!pattern || !values) return MadeStreams::none();
  const bool each = making.settings.text("rows") == "all";
  const RowSchemaPtr schema = rows_schema(making, *values, each, false);
  const RowSchemaPtr partial = rows_schema(making, *values, each, true);
  if (!schema || !partial) return MadeStreams::none();
  RowsOfMatch rows{schema, making.key, {}, each};
  for (const MatchNames::Value& value : *values) rows.values.push_back(value.field);
  RowsOfMatch over = rows;
  over.schema = partial;
  return with_keyed_rows(*making.input, making.key, [&](const auto& keyed, bool encoded) {
    pattern->form = {making.input->schema, encoded ? key_schema(making) : nullptr};
    const auto matches = matched_by<RowRef, RowRef>(
        keyed, note, Result<TypedPattern<RowRef>>(std::move(*pattern)), rows, over);
    MadeStreams made = MadeStreams::of(row_stream(making.finished(matches), schema));
    made.streams.emplace("late", row_stream(matches.late(), making.input->schema));
    made.streams.emplace("timed_out", row_stream(matches.timed_out(), partial));
    return made;
  });
}

std::vector<ParamInfo> match_params() {
  return {{.name = "stages",
           .type = ParamType::stages,
           .required = true,
           .doc = "which rows must come, one after the other"},
          {.name = "within",
           .type = ParamType::duration,
           .doc = "the last row's time less the first one's is below that"},
          {.name = "within_neighbours",
           .type = ParamType::duration,
           .doc = "and that of each row less that of the one matched before it"},
          {.name = "skip",
           .type = ParamType::text,
           .doc = "which matches a match forbids: to_next, past_last, to_first(stage) or "
                  "to_last(stage); else none"},
          {.name = "fail_on_miss",
           .type = ParamType::flag,
           .doc = "of to_first and to_last: a match that lacks that stage, or begins with it, is a "
                  "dead letter"},
          {.name = "values",
           .type = ParamType::matched,
           .doc = "what rows show: name: stage.field, of the last row that the stage took, "
                  "first(stage.field), count(stage), first(field), last(field), count()"},
          {.name = "rows",
           .type = ParamType::choice,
           .standard = "one",
           .doc = "one: a row a match, of the key, time and the values; all: each row of each "
                  "match, behind stage, step (1, 2, ...) and the values",
           .choices = {"one", "all"}}};
}

}  // namespace

void add_match_entries(Entries& entries) {
  Entry entry{
      "match", EntryRole::verb,
      "rows of a key that make a pattern, in the order of event time; partial matches whose "
      "time is over go to the stream timed_out, rows that come too late to the stream late",
      match_params(), make_match};
  entry.keyed = Keyed::needed;
  entries.emplace("match", std::move(entry));
}

}  // namespace millrace::detail
