// Parameters of components: which there are, of which type, and what is wrong with them.
#include "catalog/settings.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.hpp"

namespace millrace::detail {
namespace {

struct TypeName {
  std::string_view name;
  ColumnType type;
};
constexpr TypeName kTypeNames[] = {
    {"bool", ColumnType::boolean},        {"boolean", ColumnType::boolean},
    {"int", ColumnType::integer},         {"integer", ColumnType::integer},
    {"double", ColumnType::real},         {"real", ColumnType::real},
    {"text", ColumnType::text},           {"string", ColumnType::text},
    {"timestamp", ColumnType::timestamp},
};

std::optional<ColumnType> type_named(std::string_view name) {
  for (const TypeName& one : kTypeNames) {
    if (one.name == name) return one.type;
  }
  return std::nullopt;
}

std::string known_types(std::string_view wanted) {
  std::vector<std::string> names;
  for (const TypeName& one : kTypeNames) names.emplace_back(one.name);
  const std::string near = nearest_word(wanted, names);
  if (!near.empty()) return ": did you mean \"" + near + "\"?";
  return ": bool, int, double, text or timestamp, as \"text or null\" where it may be null";
}

bool is_map_type(ParamType type) {
  return type == ParamType::schema || type == ParamType::aggregates ||
         type == ParamType::conditions || type == ParamType::event_time ||
         type == ParamType::rules || type == ParamType::constants || type == ParamType::matched;
}

std::string bounds_of(const ParamInfo& info) {
  if (info.least > -9e15 && info.most < 9e15) {
    return fmt::format(" from {} to {}", info.least, info.most);
  }
  return info.least > -9e15 ? fmt::format(" of at least {}", info.least) : "";
}

}  // namespace

Settings::Settings(const std::vector<ParamInfo>& params, const ComponentText& component,
                   Mistakes& mistakes)
    : component_(component), mistakes_(mistakes) {
  std::vector<std::string> names;
  for (const ParamInfo& info : params) names.push_back(info.name);
  for (const auto& [key, value] : component.settings.entries) {
    if (std::find(names.begin(), names.end(), key.text) != names.end()) continue;
    const std::string near = nearest_word(key.text, names);
    std::string known = fmt::format("; it takes {}", fmt::join(names, ", "));
    if (names.empty()) known = "; it takes none";
    (void)wrong(key.place, fmt::format("{} has no parameter \"{}\"{}", component.type, key.text,
                                       near.empty() ? known : ": did you mean \"" + near + "\"?"));
  }
  for (const ParamInfo& info : params) {
    const ConfigNode* const given = node(info.name);
    Parsed value;
    if (given != nullptr) {
      value = parse(info, *given);
    } else if (info.required) {
      (void)wrong(component.type_place, fmt::format("{} needs the parameter \"{}\": {}",
                                                    component.type, info.name, info.doc));
    }
    if (std::holds_alternative<std::monostate>(value)) value = standard_of(info);
    values_.emplace(info.name, std::move(value));
  }
}

const ConfigNode* Settings::node(std::string_view name) const {
  const ConfigNode* const found = component_.settings.find(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

Settings::Parsed Settings::wrong(const Place& place, std::string message) {
  good_ = false;
  mistakes_.add(place, std::move(message));
  return {};
}

Settings::Parsed Settings::standard_of(const ParamInfo& info) {
  switch (info.type) {
    case ParamType::integer:
      return info.standard.empty() ? std::int64_t{0} : std::int64_t{std::stoll(info.standard)};
    case ParamType::number:
      return info.standard.empty() ? 0.0 : std::stod(info.standard);
    case ParamType::flag:
      return info.standard == "true";
    case ParamType::duration:
      return parse_duration(info.standard).value_or(Duration(0));
    case ParamType::window:
    case ParamType::over:
      return RowCut{global()};
    case ParamType::schema:
      return std::vector<ColumnInfo>{};
    default:
      return info.standard;
  }
}

Settings::Parsed Settings::parse(const ParamInfo& info, const ConfigNode& node) {
  if (info.type == ParamType::stage || info.type == ParamType::times) return {};
  const bool numbers = info.type == ParamType::numbers;
  const bool stages = info.type == ParamType::stages;
  const bool list = numbers || stages || info.type == ParamType::fields;
  const bool map = is_map_type(info.type);
  if ((list && !node.is_list()) || (map && !node.is_map()) ||
      (!list && !map && !node.is_scalar())) {
    return wrong(node.place, fmt::format("\"{}\" is {}, found {}", info.name,
                                         numbers  ? "a list of numbers"
                                         : stages ? "a list of stages"
                                         : list   ? "a list of fields"
                                         : map    ? "a map"
                                                  : "a single value",
                                         node.words()));
  }
  if (info.type == ParamType::schema) return parse_schema(node);
  return list || map ? Parsed() : parse_scalar(info, node);
}

Settings::Parsed Settings::parse_scalar(const ParamInfo& info, const ConfigNode& node) {
  switch (info.type) {
    case ParamType::integer:
    case ParamType::number:
      return parse_number(info, node);
    case ParamType::flag:
      if (node.text == "true" || node.text == "false") return node.text == "true";
      return wrong(node.place,
                   fmt::format("\"{}\" is true or false, found {}", info.name, node.text));
    case ParamType::duration:
      if (const auto span = parse_duration(node.text)) return *span;
      return wrong(node.place, fmt::format("\"{}\" is a time with its unit, such as 250ms, 5s, "
                                           "15min or 6h, found {}",
                                           info.name, node.text));
    case ParamType::window:
    case ParamType::over: {
      auto windows = info.type == ParamType::over ? parse_over(node.text) : parse_window(node.text);
      if (auto* const why = std::get_if<std::string>(&windows)) {
        return wrong(node.place, std::move(*why));
      }
      return std::get<RowCut>(std::move(windows));
    }
    case ParamType::choice:
      return parse_choice(info, node);
    default:
      if (node.text.empty() && info.required) {
        return wrong(node.place, fmt::format("\"{}\" is empty", info.name));
      }
      return node.text;
  }
}

Settings::Parsed Settings::parse_number(const ParamInfo& info, const ConfigNode& node) {
  const char* const begin = node.text.data();
  const char* const end = begin + node.text.size();
  const bool whole = info.type == ParamType::integer;
  std::int64_t integer = 0;
  double real = 0;
  const auto read =
      whole ? std::from_chars(begin, end, integer) : std::from_chars(begin, end, real);
  const double value = whole ? static_cast<double>(integer) : real;
  if (read.ec != std::errc() || read.ptr != end || !(value >= info.least && value <= info.most)) {
    return wrong(node.place, fmt::format("\"{}\" is a {}number{}, found {}", info.name,
                                         whole ? "whole " : "", bounds_of(info), node.text));
  }
  if (whole) return integer;
  return real;
}

Settings::Parsed Settings::parse_choice(const ParamInfo& info, const ConfigNode& node) {
  const auto& choices = info.choices;
  if (std::find(choices.begin(), choices.end(), node.text) != choices.end()) return node.text;
  const std::string near = nearest_word(node.text, choices);
  return wrong(node.place,
               fmt::format("\"{}\" has no \"{}\"{}", info.name, node.text,
                           near.empty() ? fmt::format("; there are {}", fmt::join(choices, ", "))
                                        : ": did you mean \"" + near + "\"?"));
}

Settings::Parsed Settings::parse_schema(const ConfigNode& node) {
  constexpr std::size_t kFieldsMax = 64;
  std::vector<ColumnInfo> fields;
  for (const auto& [key, value] : node.entries) {
    std::string_view type = value.text;
    constexpr std::string_view kOrNull = " or null";
    const bool optional = type.ends_with(kOrNull);
    if (optional) type.remove_suffix(kOrNull.size());
    const auto found = type_named(without_blanks(type));
    if (!value.is_scalar() || !found) {
      (void)wrong(value.place, fmt::format("the field \"{}\" has no type \"{}\"{}", key.text,
                                           value.text, known_types(type)));
      continue;
    }
    fields.push_back({key.text, *found, optional});
  }
  if (node.entries.empty() || node.entries.size() > kFieldsMax) {
    return wrong(node.place, fmt::format("\"fields\" has 1 to {} fields, found {}", kFieldsMax,
                                         node.entries.size()));
  }
  return fields;
}

}  // namespace millrace::detail
