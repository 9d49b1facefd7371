// Predicate: a condition on the fields of a row: "delta < -200 and not is_robot".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "record/row_columns.hpp"

namespace millrace::detail {

/// A condition's value as in SQL: what is compared with a null is unknown.
enum class Truth : std::uint8_t { no, yes, unknown };

/// What a field is compared with.
using Literal = std::variant<bool, std::int64_t, double, std::string>;

enum class Comparison : std::uint8_t { equal, unequal, less, at_most, greater, at_least };

/// One part of a condition. Field types were checked when it was made.
struct PredicateNode {
  enum class Kind : std::uint8_t {
    truth,        ///< a boolean field
    compare,      ///< a field with a literal
    compare_two,  ///< a field with a field
    in,           ///< a field with one of several literals
    is_null,
    all,   ///< and
    any,   ///< or
    none,  ///< not
  };
  Kind kind = Kind::truth;
  Comparison comparison = Comparison::equal;
  ColumnType type = ColumnType::boolean;   ///< of the field
  ColumnType other = ColumnType::boolean;  ///< of the second field
  std::size_t field = 0;
  std::size_t second = 0;
  std::vector<Literal> literals;
  std::vector<PredicateNode> parts;
};

/// The truth of a condition on what has is_null(), boolean(), integer(), real() and text() of a
/// field's number, as RowRef has them.
template <class Row>
Truth evaluate(const PredicateNode& node, const Row& row);

/// A condition on rows of one schema. Holds where it is true: not where it is unknown. Copies share
/// nothing. Cost: a visit to each part that decides.
class Predicate {
 public:
  explicit Predicate(PredicateNode root) : root_(std::move(root)) {}
  bool operator()(const RowRef& row) const;

 private:
  PredicateNode root_;
};

/// What a condition may name: fields by their numbers, with their types.
class ConditionNames {
 public:
  struct Named {
    std::size_t field = 0;
    ColumnInfo info;
  };
  /// That field, or why there is none.
  using NamedOrWhy = std::variant<Named, std::string>;

  virtual NamedOrWhy find(const std::string& name) = 0;
  /// The same for "function(argument)".
  virtual NamedOrWhy call(const std::string& function, const std::string& argument) = 0;
  /// Whether there are any of these.
  virtual bool has_calls() const = 0;

 protected:
  ~ConditionNames() = default;
};
/// That fields have no such name, with the nearest one or all of them.
std::string no_such_field(std::string_view name, const RowSchema& schema);

/// Why a condition cannot be read, and where in its text.
struct ExprError {
  std::size_t offset = 0;
  std::string message;
};

/// Reads a condition: comparisons (= == != <> < <= > >=) of a field with a literal or a field;
/// `in (a, b)`, `not in`, `is null`, `is not null`; a boolean field alone; `not`, `and`, `or`
/// (binding in this order) and parentheses. Texts stand in single or double quotes, a quote in them
/// doubled. Times are texts in ISO 8601. Words of the language in any case; a field whose name is
/// no word stands in backquotes.
std::variant<Predicate, ExprError> parse_predicate(std::string_view text, const RowSchema& schema);
/// The same with other names than those of one schema, and with their calls in place of fields.
std::variant<PredicateNode, ExprError> parse_condition(std::string_view text,
                                                       ConditionNames& names);

}  // namespace millrace::detail
