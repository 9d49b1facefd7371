// Which row of a match a name means.
#include "catalog/match_names.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "operator/call_words.hpp"

namespace millrace::detail {

ConditionNames::NamedOrWhy MatchNames::find(const std::string& name) {
  if (const auto own = schema_.find(name)) return Named{*own, schema_.fields()[*own]};
  if (name.find('.') == std::string::npos) return no_such_field(name, schema_);
  return named(field_of(name, MatchedField::Of::last, false));
}

ConditionNames::NamedOrWhy MatchNames::call(const std::string& function,
                                            const std::string& argument) {
  return named(call_of(function, argument));
}

std::variant<MatchNames::Value, std::string> MatchNames::value(const std::string& text) const {
  if (const auto call = parse_call(text); call && call->args.size() <= 1)
    return call_of(call->name, call->args.empty() ? std::string() : call->args.front());
  if (text.find('.') == std::string::npos) {
    return fmt::format(
        "\"{}\" does not say of which row: write {}.{}, first({}), last({}), or "
        "count({})",
        text, stages_.front().name, text, text, text, stages_.front().name);
  }
  return field_of(text, MatchedField::Of::last, false);
}

/// In a condition a stage may have taken none yet.
ConditionNames::NamedOrWhy MatchNames::named(ValueOrWhy value) {
  if (auto* const why = std::get_if<std::string>(&value)) return std::move(*why);
  auto& [field, info] = std::get<Value>(value);
  auto at = std::ranges::find(others_, field);
  if (at == others_.end()) at = others_.insert(others_.end(), field);
  info.optional = field.of != MatchedField::Of::count;
  return Named{schema_.fields().size() + static_cast<std::size_t>(at - others_.begin()), info};
}

MatchNames::ValueOrWhy MatchNames::call_of(const std::string& function,
                                           const std::string& argument) const {
  if (function == "count") return count_of_stage(argument);
  if (function != "first" && function != "last") {
    return fmt::format(
        "there is no {}(...) in a pattern: there are first(stage.field), "
        "last(stage.field) and count(stage)",
        function);
  }
  if (argument.empty())
    return fmt::format("{}() needs a field: {}(stage.field)", function, function);
  return field_of(argument, function == "first" ? MatchedField::Of::first : MatchedField::Of::last,
                  true);
}

MatchNames::ValueOrWhy MatchNames::count_of_stage(const std::string& name) const {
  Value value{{MatchedField::Of::count, MatchedField::kAnyStage, 0},
              {"count(" + name + ")", ColumnType::integer}};
  if (name.empty()) return value;
  const auto its = stage(name);
  if (!its) return no_such_stage(name);
  value.field.stage = *its;
  return value;
}

MatchNames::ValueOrWhy MatchNames::field_of(const std::string& name, MatchedField::Of of,
                                            bool any_stage) const {
  const auto valued = [&](std::uint32_t stage, std::size_t field) {
    Value value{{of, stage, field}, schema_.fields()[field]};
    value.info.name = name;
    if (stage != MatchedField::kAnyStage) value.info.optional |= stages_[stage].optional;
    return value;
  };
  if (const auto field = schema_.find(name); any_stage && field)
    return valued(MatchedField::kAnyStage, *field);
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos) return no_such_field(name, schema_);
  // Names of stages and fields may have dots, too.
  for (std::size_t at = dot; at != std::string::npos; at = name.find('.', at + 1)) {
    const auto its = stage(std::string_view(name).substr(0, at));
    if (!its) continue;
    const std::string of_it = name.substr(at + 1);
    const auto field = schema_.find(of_it);
    if (!field) return no_such_field(of_it, schema_);
    return valued(*its, *field);
  }
  return no_such_stage(std::string_view(name).substr(0, dot));
}

std::optional<std::uint32_t> MatchNames::stage(std::string_view name) const {
  const auto at = std::ranges::find(stages_, name, &MatchStageName::name);
  if (at == stages_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(at - stages_.begin());
}

std::string MatchNames::no_such_stage(std::string_view name) const {
  std::vector<std::string> names;
  for (const MatchStageName& one : stages_) names.push_back(one.name);
  const std::string near = nearest_word(name, names);
  return fmt::format("there is no stage \"{}\" that takes rows{}", name,
                     near.empty() ? fmt::format("; there are {}", fmt::join(names, ", "))
                                  : ": did you mean \"" + near + "\"?");
}

}  // namespace millrace::detail
