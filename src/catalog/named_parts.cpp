// Aggregates of rows by name: which kernel of which fields, and what it gives.
#include <utility>

#include <fmt/format.h>

#include "catalog/row_part.hpp"

namespace millrace::detail {
namespace {

bool is_number(ColumnType type) { return type == ColumnType::integer || type == ColumnType::real; }

template <template <class, class> class Kernel>
RowPart ordered_part(std::size_t field, ColumnType type) {
  switch (type) {
    case ColumnType::real:
      return Kernel<RowRef, MaybeReal>{{field}};
    case ColumnType::text:
      return Kernel<RowRef, MaybeText>{{field}};
    case ColumnType::timestamp:
      return Kernel<RowRef, MaybeTime>{{field}};
    default:
      return Kernel<RowRef, MaybeInteger>{{field}};
  }
}

template <template <class, class> class Kernel>
RowPart any_part(std::size_t field, ColumnType type) {
  if (type == ColumnType::boolean) return Kernel<RowRef, MaybeBoolean>{{field}};
  return ordered_part<Kernel>(field, type);
}

RowPart number_part(const std::string& kind, std::size_t field, bool real) {
  if (kind == "sum") {
    if (real) return SumKernel<RowRef, MaybeReal>{{field}};
    return SumKernel<RowRef, MaybeInteger>{{field}};
  }
  if (real) return MeanKernel<RowRef, MaybeReal>{{field}};
  return MeanKernel<RowRef, MaybeInteger>{{field}};
}

/// Why so many fields are none of that kind's; empty: they are.
std::string wrong_count(const std::string& kind, std::size_t given) {
  if (kind == "count") return given == 0 ? "" : "count counts rows: it takes no field";
  if (given == 0) return fmt::format("{} needs a field", kind);
  const bool any = kind == "distinct" || kind == "distinct_approx";
  const std::size_t most = any ? given : kind == "mean" ? 2 : 1;
  if (given <= most) return "";
  return fmt::format("{} takes {}, found {}", kind,
                     kind == "mean" ? "a field, or a field and its weight" : "one field", given);
}

}  // namespace

PartOrWhy named_part(const std::string& kind, const std::vector<std::size_t>& fields, double share,
                     const std::vector<std::string>& behind, const RowSchema& schema) {
  if (std::string why = wrong_count(kind, fields.size()); !why.empty()) return why;
  if (kind == "count") return MadePart{CountKernel{}, {kind, ColumnType::integer}};
  for (const std::size_t field : fields) {
    const ColumnInfo& one = schema.fields()[field];
    if (one.type == ColumnType::object) {
      return fmt::format("\"{}\" is a list: {} takes numbers, texts, times and booleans", one.name,
                         kind);
    }
  }
  const ColumnInfo& info = schema.fields()[fields.front()];
  const bool optional = info.optional;
  if (gives_list(kind)) return list_part(kind, fields.front(), behind, schema);
  if (kind == "distinct") {
    return MadePart{distinct_part(fields, info.type, true), {kind, ColumnType::integer}};
  }
  if (auto statistic = statistic_part(kind, fields, share, schema)) return std::move(*statistic);
  if (kind == "first")
    return MadePart{any_part<FirstKernel>(fields[0], info.type), {kind, info.type, optional}};
  if (kind == "last")
    return MadePart{any_part<LastKernel>(fields[0], info.type), {kind, info.type, optional}};
  if (kind == "min" || kind == "max") {
    if (info.type == ColumnType::boolean) {
      return fmt::format("{} needs values with an order, \"{}\" is true or false", kind, info.name);
    }
    return MadePart{kind == "min" ? ordered_part<MinKernel>(fields[0], info.type)
                                  : ordered_part<MaxKernel>(fields[0], info.type),
                    {kind, info.type, optional}};
  }
  if (kind == "sum" && info.type == ColumnType::boolean) {
    return MadePart{SumKernel<RowRef, MaybeBoolean>{{fields[0]}}, {kind, ColumnType::integer}};
  }
  for (const std::size_t field : fields) {
    const ColumnInfo& one = schema.fields()[field];
    if (!is_number(one.type)) {
      return fmt::format("{} needs a number, \"{}\" is of type {}", kind, one.name,
                         column_type_name(one.type));
    }
  }
  const bool real = info.type == ColumnType::real;
  if (fields.size() == 2) {
    if (optional || schema.fields()[fields[1]].optional) {
      return "mean with a weight needs fields that are never null";
    }
    const bool weight_real = schema.fields()[fields[1]].type == ColumnType::real;
    return MadePart{WeightedMeanKernel<RowRef, AnyNumber, AnyNumber>{{fields[0], real},
                                                                     {fields[1], weight_real}},
                    {kind, ColumnType::real, optional}};
  }
  const bool is_sum = kind == "sum";
  return MadePart{
      number_part(kind, fields[0], real),
      {kind, is_sum && !real ? ColumnType::integer : ColumnType::real, optional && !is_sum}};
}

}  // namespace millrace::detail
