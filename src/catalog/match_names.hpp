// MatchNames: what the conditions and values of a pattern of rows may name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "expr/predicate.hpp"
#include "operator/matched_fields.hpp"

namespace millrace::detail {

/// A stage that takes rows.
struct MatchStageName {
  std::string name;
  bool optional = false;  ///< it, or a group that it is in, may be missing
};

/// Of a condition: a field of the row at hand, else of rows matched before it, as
/// - stage.field, last(stage.field): of the last row that the stage took; first(stage.field)
/// - last(field), first(field): of the last, or first, row matched
/// - count(stage), count(): how many there are
/// Borrows its arguments. One thread.
class MatchNames final : public ConditionNames {
 public:
  MatchNames(const RowSchema& schema, const std::vector<MatchStageName>& stages)
      : schema_(schema), stages_(stages) {}

  NamedOrWhy find(const std::string& name) override;
  NamedOrWhy call(const std::string& function, const std::string& argument) override;
  bool has_calls() const override { return true; }

  /// What was named beside the row's own fields; its numbers follow theirs.
  const std::vector<MatchedField>& others() const { return others_; }

  /// A value as it is written for rows of matches: one of those above, but no field alone.
  struct Value {
    MatchedField field;
    ColumnInfo info;  ///< null where a stage that may be missing is
  };
  std::variant<Value, std::string> value(const std::string& text) const;

 private:
  using ValueOrWhy = std::variant<Value, std::string>;

  NamedOrWhy named(ValueOrWhy value);
  ValueOrWhy call_of(const std::string& function, const std::string& argument) const;
  ValueOrWhy count_of_stage(const std::string& stage) const;
  /// "stage.field", or where `any_stage` "field".
  ValueOrWhy field_of(const std::string& name, MatchedField::Of of, bool any_stage) const;
  std::optional<std::uint32_t> stage(std::string_view name) const;
  std::string no_such_stage(std::string_view name) const;

  const RowSchema& schema_;
  const std::vector<MatchStageName>& stages_;
  std::vector<MatchedField> others_;
};

}  // namespace millrace::detail
