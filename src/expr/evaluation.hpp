// How a condition is evaluated on what has its fields.
#pragma once

#include <compare>
#include <string_view>

#include "expr/predicate.hpp"

namespace millrace::detail {

inline Truth truth_of(bool holds) { return holds ? Truth::yes : Truth::no; }

inline bool decided(Comparison comparison, std::partial_ordering order) {
  switch (comparison) {
    case Comparison::equal:
      return order == 0;
    case Comparison::unequal:
      return order != 0;
    case Comparison::less:
      return order < 0;
    case Comparison::at_most:
      return order <= 0;
    case Comparison::greater:
      return order > 0;
    default:
      return order >= 0;
  }
}

/// Exact: a double that is no int64 lies beside all of them.
inline std::partial_ordering order_of(std::int64_t a, double b) {
  if (b != b) return std::partial_ordering::unordered;
  if (b >= 9223372036854775808.0) return std::partial_ordering::less;
  if (b < -9223372036854775808.0) return std::partial_ordering::greater;
  const auto whole = static_cast<std::int64_t>(b);
  if (a != whole) return a <=> whole;
  return 0.0 <=> (b - static_cast<double>(whole));
}

inline std::partial_ordering reversed(std::partial_ordering order) { return 0 <=> order; }

template <class Row>
std::partial_ordering order_of(const PredicateNode& node, const Row& row, const Literal& literal) {
  switch (node.type) {
    case ColumnType::boolean:
      return row.boolean(node.field) <=> std::get<bool>(literal);
    case ColumnType::text:
      return row.text(node.field) <=> std::string_view(std::get<std::string>(literal));
    case ColumnType::real:
      if (const auto* whole = std::get_if<std::int64_t>(&literal)) {
        return reversed(order_of(*whole, row.real(node.field)));
      }
      return row.real(node.field) <=> std::get<double>(literal);
    default:
      if (const auto* real = std::get_if<double>(&literal)) {
        return order_of(row.integer(node.field), *real);
      }
      return row.integer(node.field) <=> std::get<std::int64_t>(literal);
  }
}

template <class Row>
std::partial_ordering order_of_two(const PredicateNode& node, const Row& row) {
  if (node.type == ColumnType::boolean) return row.boolean(node.field) <=> row.boolean(node.second);
  if (node.type == ColumnType::text) return row.text(node.field) <=> row.text(node.second);
  const bool real = node.type == ColumnType::real;
  const bool other_real = node.other == ColumnType::real;
  if (real && other_real) return row.real(node.field) <=> row.real(node.second);
  if (real) return reversed(order_of(row.integer(node.second), row.real(node.field)));
  if (other_real) return order_of(row.integer(node.field), row.real(node.second));
  return row.integer(node.field) <=> row.integer(node.second);
}

template <class Row>
Truth in_list(const PredicateNode& node, const Row& row) {
  for (const Literal& literal : node.literals) {
    if (order_of(node, row, literal) == 0) return Truth::yes;
  }
  return Truth::no;
}

/// `and` is no as soon as one part is no, `or` yes as soon as one is yes.
template <class Row>
Truth combined(const PredicateNode& node, const Row& row, Truth decides) {
  Truth result = decides == Truth::no ? Truth::yes : Truth::no;
  for (const PredicateNode& part : node.parts) {
    const Truth one = evaluate(part, row);
    if (one == decides) return one;
    if (one == Truth::unknown) result = Truth::unknown;
  }
  return result;
}

template <class Row>
Truth evaluate(const PredicateNode& node, const Row& row) {
  using Kind = PredicateNode::Kind;
  switch (node.kind) {
    case Kind::all:
      return combined(node, row, Truth::no);
    case Kind::any:
      return combined(node, row, Truth::yes);
    case Kind::none: {
      const Truth inner = evaluate(node.parts.front(), row);
      if (inner == Truth::unknown) return inner;
      return inner == Truth::yes ? Truth::no : Truth::yes;
    }
    case Kind::is_null:
      return truth_of(row.is_null(node.field));
    default:
      break;
  }
  if (row.is_null(node.field)) return Truth::unknown;
  if (node.kind == Kind::truth) return truth_of(row.boolean(node.field));
  if (node.kind == Kind::in) return in_list(node, row);
  if (node.kind == Kind::compare_two) {
    if (row.is_null(node.second)) return Truth::unknown;
    return truth_of(decided(node.comparison, order_of_two(node, row)));
  }
  return truth_of(decided(node.comparison, order_of(node, row, node.literals.front())));
}

}  // namespace millrace::detail
