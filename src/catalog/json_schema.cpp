// The JSON schema, from the parameters of the entries.
#include "catalog/json_schema.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "catalog/match_stages.hpp"
#include "topology/named_settings.hpp"

namespace millrace::detail {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

constexpr const char* kSpan = R"("type": "string", "pattern": "^[0-9]+(us|ms|s|min|h|d)$|\\$\\{")";

/// What a parameter may be, without braces.
std::string type_of(const ParamInfo& info) {
  switch (info.type) {
    case ParamType::integer:
      return R"("type": ["integer", "string"])";
    case ParamType::number:
      return R"("type": ["number", "string"])";
    case ParamType::flag:
      return R"("enum": [true, false])";
    case ParamType::duration:
      return kSpan;
    case ParamType::window:
      return R"x("type": "string", "pattern": "^(tumbling|sliding|cumulating|session|)x"
             R"x(daily|weekly|monthly|quarterly|yearly|count_window|global)\\(|\\$\\{")x";
    case ParamType::over:
      return R"x("type": "string", "pattern": "^last\\(|\\$\\{")x";
    case ParamType::fields:
      return R"("type": "array", "minItems": 1)";
    case ParamType::numbers:
      return R"("type": "array", "minItems": 1, "items": {"type": ["number", "string"]})";
    case ParamType::schema:
      return R"("type": "object", "minProperties": 1, "additionalProperties": {"type": "string",)"
             R"( "pattern": "^(bool|boolean|int|integer|double|real|text|string|timestamp))"
             R"(( or null)?$"})";
    case ParamType::stages:
      return R"("type": "array", "minItems": 1, "items": {"$ref": "#/definitions/stage"})";
    case ParamType::stage:
      return R"("anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "minItems": 1,)"
             R"( "items": {"$ref": "#/definitions/stage"}}])";
    case ParamType::times:
      return R"("anyOf": [{"type": "integer", "minimum": 1}, {"type": "array", "minItems": 2,)"
             R"( "maxItems": 2, "items": {"type": "integer", "minimum": 1}}])";
    case ParamType::matched:
    case ParamType::aggregates:
    case ParamType::rules:
    case ParamType::conditions:
      return R"("type": "object", "minProperties": 1, "additionalProperties": {"type": "string"})";
    case ParamType::constants:
      return R"("type": "object", "minProperties": 1)";
    case ParamType::event_time:
      return fmt::format(
          R"("type": "object", "required": ["field"], "additionalProperties": false,)"
          R"( "properties": {{"field": {{"type": "string"}}, "marks": {{"type": "string"}},)"
          R"( "out_of_order": {{{0}}}, "lap": {{{0}}}, "idle_after": {{{0}}},)"
          R"( "align_within": {{{0}}}}})",
          kSpan);
    case ParamType::choice: {
      std::string list;
      for (const std::string& choice : info.choices) {
        list += (list.empty() ? "" : ", ") + quoted(choice);
      }
      return "\"enum\": [" + list + "]";
    }
    default:
      return R"("type": ["string", "number", "boolean"])";
  }
}

std::string settings_of(const std::vector<ParamInfo>& params,
                        const std::vector<std::string>& exactly_one) {
  std::string properties;
  std::string required;
  for (const ParamInfo& info : params) {
    std::string doc = info.doc;
    if (!info.standard.empty()) doc += fmt::format(" (default {})", info.standard);
    properties +=
        fmt::format("{}\n          {}: {{{}, \"description\": {}}}", properties.empty() ? "" : ",",
                    quoted(info.name), type_of(info), quoted(doc));
    if (info.required) required += (required.empty() ? "" : ", ") + quoted(info.name);
  }
  std::string one_of;
  for (const std::string& name : exactly_one) {
    one_of += fmt::format("{}{{\"required\": [{}]}}", one_of.empty() ? "" : ", ", quoted(name));
  }
  if (!one_of.empty()) one_of = ", \"oneOf\": [" + one_of + "]";
  return fmt::format(
      "{{\"type\": \"object\", \"additionalProperties\": false, \"required\": [{}],"
      " \"properties\": {{{}}}{}}}",
      required, properties, one_of);
}

/// An entry as one of the things that a spout or a bolt may be.
std::string alternative(const Entry& entry) {
  bool needs = !entry.one_of.empty();
  for (const ParamInfo& info : entry.params) needs |= info.required;
  return fmt::format(
      "      {{\n        \"if\": {{\"properties\": {{\"type\": {{\"const\": {}}}}}}},\n"
      "        \"then\": {{\"description\": {}, \"required\": [{}], \"properties\": {{\"with\": "
      "{}}}}}\n      }}",
      quoted(entry.name), quoted(entry.doc), needs ? "\"with\"" : "",
      settings_of(entry.params, entry.one_of));
}

std::string component(const Entries& entries, bool spouts) {
  std::string names;
  std::string alternatives;
  for (const auto& [name, entry] : entries) {
    if ((entry.role == EntryRole::source) != spouts) continue;
    names += (names.empty() ? "" : ", ") + quoted(name);
    alternatives += (alternatives.empty() ? "" : ",\n") + alternative(entry);
  }
  return fmt::format(
      "{{\n    \"type\": \"object\", \"required\": [\"id\", \"type\"], \"additionalProperties\": "
      "false,\n    \"properties\": {{\"id\": {{\"type\": \"string\", \"minLength\": 1, "
      "\"maxLength\": 56}}, \"type\": {{\"enum\": [{}]}},\n      \"parallelism\": {{\"type\": "
      "\"integer\", \"minimum\": 1, \"maximum\": 128}}, \"with\": {{\"type\": \"object\"}}}},\n"
      "    \"allOf\": [\n{}\n    ]\n  }}",
      names, alternatives);
}

/// Of a topology's config; components may have others there.
std::string config_settings() {
  std::string properties;
  for (const NamedSetting& setting : named_settings()) {
    properties +=
        fmt::format("{}\n      {}: {{\"type\": [\"string\", \"integer\"], \"description\": {}}}",
                    properties.empty() ? "" : ",", quoted(setting.name),
                    quoted(fmt::format("{}: {}", setting.doc, setting.wanted)));
  }
  return properties;
}

constexpr const char* kStreams = R"({
    "type": "object", "required": ["from", "to"], "additionalProperties": false,
    "properties": {"name": {"type": "string"}, "from": {"type": "string"},
      "to": {"type": "string"}, "grouping": {"anyOf": [{"$ref": "#/definitions/kind"},
        {"type": "object", "additionalProperties": false, "properties": {
          "type": {"$ref": "#/definitions/kind"}, "streamId": {"type": "string"},
          "args": {"type": "array", "items": {"type": "string"}}}}]}}
  })";

}  // namespace

std::string json_schema(const Entries& entries) {
  return fmt::format(R"({{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "A topology of Millrace",
  "type": "object",
  "additionalProperties": false,
  "properties": {{
    "name": {{"type": "string", "minLength": 1}},
    "config": {{"type": "object", "additionalProperties": {{"type": ["string", "number",
      "boolean"]}}, "properties": {{{}
    }}}},
    "includes": {{"type": "array", "items": {{"anyOf": [{{"type": "string"}}, {{"type": "object",
      "required": ["file"], "additionalProperties": false, "properties": {{
        "file": {{"type": "string"}}, "override": {{"type": "boolean"}}}}}}]}}}},
    "spouts": {{"type": "array", "items": {{"$ref": "#/definitions/spout"}}}},
    "bolts": {{"type": "array", "items": {{"$ref": "#/definitions/bolt"}}}},
    "streams": {{"type": "array", "items": {{"$ref": "#/definitions/stream"}}}}
  }},
  "definitions": {{
  "kind": {{"enum": ["shuffle", "local_or_shuffle", "none", "fields", "partial_key", "global",
    "all", "SHUFFLE", "LOCAL_OR_SHUFFLE", "NONE", "FIELDS", "GLOBAL", "ALL"]}},
  "stream": {},
  "stage": {},
  "spout": {},
  "bolt": {}
  }}
}}
)",
                     config_settings(), kStreams, settings_of(match_stage_params(), {}),
                     component(entries, true), component(entries, false));
}

}  // namespace millrace::detail
