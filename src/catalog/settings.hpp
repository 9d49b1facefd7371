// Settings: the parameters of a component, checked against what it takes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "catalog/window_words.hpp"
#include "record/row_schema.hpp"
#include "yaml/topology_file.hpp"

namespace millrace::detail {

enum class ParamType {
  text,
  integer,
  number,
  flag,
  duration,
  window,
  over,
  condition,
  field,
  fields,      ///< a list of fields of the input
  numbers,     ///< a list of numbers
  schema,      ///< a map of field: type
  aggregates,  ///< a map of name: aggregate(field)
  rules,       ///< a map of name: rule(arguments)
  conditions,  ///< a map of name: condition
  constants,   ///< a map of field: value
  event_time,  ///< a map with field, out_of_order, lap
  stages,      ///< of a pattern: a list of maps
  stage,       ///< its name, or a list of stages
  times,       ///< a number, or a list of two
  matched,     ///< a map of name: stage.field
  choice,
};

struct ParamInfo {
  std::string name;
  ParamType type;
  bool required = false;
  std::string standard = {};  ///< the default as it would be written; empty: none
  std::string doc = {};
  std::vector<std::string> choices = {};
  double least = -9e15;  ///< of numbers
  double most = 9e15;
};

/// Reads and checks each parameter once; what was wrong is a mistake and takes its default.
class Settings {
 public:
  Settings(const std::vector<ParamInfo>& params, const ComponentText& component,
           Mistakes& mistakes);

  /// No parameter is wrong or missing.
  bool good() const { return good_; }
  bool has(std::string_view name) const { return node(name) != nullptr; }
  /// As it was written, or null.
  const ConfigNode* node(std::string_view name) const;

  const std::string& text(std::string_view name) const { return get<std::string>(name); }
  std::int64_t integer(std::string_view name) const { return get<std::int64_t>(name); }
  double number(std::string_view name) const { return get<double>(name); }
  bool flag(std::string_view name) const { return get<bool>(name); }
  Duration duration(std::string_view name) const { return get<Duration>(name); }
  const RowCut& windows(std::string_view name) const { return get<RowCut>(name); }
  const std::vector<ColumnInfo>& schema(std::string_view name) const {
    return get<std::vector<ColumnInfo>>(name);
  }

 private:
  using Parsed = std::variant<std::monostate, std::string, std::int64_t, double, bool, Duration,
                              RowCut, std::vector<ColumnInfo>>;

  template <class V>
  const V& get(std::string_view name) const {
    return std::get<V>(values_.find(name)->second);
  }
  Parsed parse(const ParamInfo& info, const ConfigNode& node);
  Parsed parse_scalar(const ParamInfo& info, const ConfigNode& node);
  Parsed parse_number(const ParamInfo& info, const ConfigNode& node);
  Parsed parse_choice(const ParamInfo& info, const ConfigNode& node);
  Parsed parse_schema(const ConfigNode& node);
  static Parsed standard_of(const ParamInfo& info);
  Parsed wrong(const Place& place, std::string message);

  const ComponentText& component_;
  Mistakes& mistakes_;
  std::map<std::string, Parsed, std::less<>> values_;
  bool good_ = true;
};

}  // namespace millrace::detail
