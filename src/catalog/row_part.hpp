// One aggregate among a row's, with what it gives; those of statistics by name.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "operator/row_kernels.hpp"
#include "record/row_schema.hpp"

namespace millrace::detail {

struct MadePart {
  RowPart part;
  ColumnInfo info;
};

/// Why there is none, in a sentence.
using PartOrWhy = std::variant<MadePart, std::string>;

/// Any kind by its name; `share` is that of a quantile, `behind` what stands behind the field of a
/// list.
PartOrWhy named_part(const std::string& kind, const std::vector<std::size_t>& fields, double share,
                     const std::vector<std::string>& behind, const RowSchema& schema);

/// A part that counts the different values of fields: exactly, or about.
RowPart distinct_part(const std::vector<std::size_t>& fields, ColumnType type, bool exact);

/// exact_sum, variance, var_pop, stddev, stddev_pop, median, quantile (of `share`) or
/// distinct_approx; nullopt for another kind.
std::optional<PartOrWhy> statistic_part(const std::string& kind,
                                        const std::vector<std::size_t>& fields, double share,
                                        const RowSchema& schema);

/// Whether an aggregate's value is a list: list, set, top_k, top_k_approx, quantiles.
bool gives_list(const std::string& kind);
/// One of these of a field, with what stands behind it: how many, or shares.
PartOrWhy list_part(const std::string& kind, std::size_t field,
                    const std::vector<std::string>& arguments, const RowSchema& schema);

/// The share of "quantile(price, 0.99)"; nullopt unless it is a number from 0 to 1.
std::optional<double> parse_share(std::string_view text);

}  // namespace millrace::detail
