// Statistics of rows: which kernel of which field, and what it gives.
#include <charconv>

#include <fmt/format.h>

#include "catalog/row_part.hpp"

namespace millrace::detail {
namespace {

template <template <class, class...> class Kernel>
RowPart values_part(const std::vector<std::size_t>& fields, ColumnType type) {
  if (fields.size() > 1) return Kernel<RowRef, KeyFields>(KeyFields(fields));
  const std::size_t field = fields.front();
  switch (type) {
    case ColumnType::boolean:
      return Kernel<RowRef, MaybeBoolean>(MaybeBoolean{field});
    case ColumnType::real:
      return Kernel<RowRef, MaybeReal>(MaybeReal{field});
    case ColumnType::text:
      return Kernel<RowRef, MaybeText>(MaybeText{field});
    case ColumnType::timestamp:
      return Kernel<RowRef, MaybeTime>(MaybeTime{field});
    default:
      return Kernel<RowRef, MaybeInteger>(MaybeInteger{field});
  }
}

std::optional<RowPart> number_part(const std::string& kind, MaybeNumber number, double share) {
  if (kind == "variance") return VarianceOfSample<RowRef, MaybeNumber>{{number}};
  if (kind == "var_pop") return VarianceOfAll<RowRef, MaybeNumber>{{number}};
  if (kind == "stddev") return DeviationOfSample<RowRef, MaybeNumber>{{number}};
  if (kind == "stddev_pop") return DeviationOfAll<RowRef, MaybeNumber>{{number}};
  if (kind == "median") return QuantileKernel<RowRef, MaybeNumber>(0.5, number);
  if (kind == "quantile") return QuantileKernel<RowRef, MaybeNumber>(share, number);
  return std::nullopt;
}

}  // namespace

RowPart distinct_part(const std::vector<std::size_t>& fields, ColumnType type, bool exact) {
  return exact ? values_part<DistinctKernel>(fields, type)
               : values_part<DistinctApproxKernel>(fields, type);
}

std::optional<PartOrWhy> statistic_part(const std::string& kind,
                                        const std::vector<std::size_t>& fields, double share,
                                        const RowSchema& schema) {
  const ColumnInfo& info = schema.fields()[fields.front()];
  if (kind == "distinct_approx") {
    return MadePart{distinct_part(fields, info.type, false), {kind, ColumnType::integer}};
  }
  const bool real = info.type == ColumnType::real;
  if (kind == "exact_sum") {
    if (real) {
      return MadePart{ExactSumKernel<RowRef, MaybeReal>{{{fields.front()}}},
                      {kind, ColumnType::real}};
    }
    return fmt::format("exact_sum is for fields of type double, \"{}\" is of type {}{}", info.name,
                       column_type_name(info.type),
                       info.type == ColumnType::integer ? ": its sum is exact already" : "");
  }
  auto part = number_part(kind, {fields.front(), real}, share);
  if (!part) return std::nullopt;
  if (!real && info.type != ColumnType::integer) {
    return fmt::format("{} needs a number, \"{}\" is of type {}", kind, info.name,
                       column_type_name(info.type));
  }
  return MadePart{std::move(*part), {kind, ColumnType::real, info.optional}};
}

std::optional<double> parse_share(std::string_view text) {
  double share = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  const bool all = error == std::errc() && end == text.data() + text.size();
  return all && share >= 0 && share <= 1 ? std::optional(share) : std::nullopt;
}

}  // namespace millrace::detail
