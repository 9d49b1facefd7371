// Aggregates of rows whose value is a list: list, set, top_k, top_k_approx, quantiles.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "catalog/row_part.hpp"

namespace millrace::detail {
namespace {

/// What each is given behind its field.
std::string usage_of(const std::string& kind) {
  if (kind == "quantiles") {
    return "quantiles takes a field and shares from 0 to 1, such as quantiles(price, 0.5, 0.99)";
  }
  if (kind == "top_k_approx") {
    return "top_k_approx takes a field, how many values, and at least as many counters, such as "
           "top_k_approx(page, 5, 1000)";
  }
  return fmt::format("{0} takes a field and how many values to keep, such as {0}(page, 5)", kind);
}

/// Whole numbers of at least 1.
std::optional<std::vector<std::size_t>> counts_of(const std::vector<std::string>& texts) {
  std::vector<std::size_t> counts;
  for (const std::string& text : texts) {
    std::size_t count = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, count);
    if (read.ec != std::errc() || read.ptr != end || count == 0) return std::nullopt;
    counts.push_back(count);
  }
  return counts;
}

template <template <class, class> class Kernel, class Settings>
RowPart part_with(const Settings& settings, std::size_t field, ColumnType type) {
  switch (type) {
    case ColumnType::real:
      return Kernel<RowRef, MaybeReal>{settings, MaybeReal{field}};
    case ColumnType::text:
      return Kernel<RowRef, MaybeText>{settings, MaybeText{field}};
    case ColumnType::timestamp:
      return Kernel<RowRef, MaybeTime>{settings, MaybeTime{field}};
    default:
      return Kernel<RowRef, MaybeInteger>{settings, MaybeInteger{field}};
  }
}

PartOrWhy quantiles_part(std::size_t field, const std::vector<std::string>& arguments,
                         const ColumnInfo& info) {
  std::vector<double> shares;
  for (const std::string& text : arguments) {
    const auto share = parse_share(text);
    if (!share) return usage_of("quantiles");
    shares.push_back(*share);
  }
  if (shares.empty()) return usage_of("quantiles");
  const bool real = info.type == ColumnType::real;
  if (!real && info.type != ColumnType::integer) {
    return fmt::format("quantiles needs a number, \"{}\" is of type {}", info.name,
                       column_type_name(info.type));
  }
  return MadePart{QuantilesKernel<RowRef, MaybeNumber>(std::move(shares), MaybeNumber{field, real}),
                  {"quantiles", ColumnType::object, info.optional}};
}

}  // namespace

bool gives_list(const std::string& kind) {
  return kind == "list" || kind == "set" || kind == "top_k" || kind == "top_k_approx" ||
         kind == "quantiles";
}

PartOrWhy list_part(const std::string& kind, std::size_t field,
                    const std::vector<std::string>& arguments, const RowSchema& schema) {
  const ColumnInfo& info = schema.fields()[field];
  if (kind == "quantiles") return quantiles_part(field, arguments, info);
  const auto counts = counts_of(arguments);
  const std::size_t most = kind == "top_k_approx" ? 2 : 1;
  if (!counts || counts->empty() || counts->size() > most) return usage_of(kind);
  if (info.type == ColumnType::boolean) {
    return fmt::format("{} keeps numbers, texts and times, \"{}\" is true or false", kind,
                       info.name);
  }
  const ColumnInfo made{kind, ColumnType::object};
  const std::size_t kept = counts->front();
  if (kind == "list") return MadePart{part_with<ListKernel>(kept, field, info.type), made};
  if (kind == "set") return MadePart{part_with<SetKernel>(kept, field, info.type), made};
  if (kind == "top_k") return MadePart{part_with<TopValuesKernel>(kept, field, info.type), made};
  constexpr std::size_t kCounters = 1000;
  const TopOptions options{kept, counts->size() == 2 ? counts->back() : std::max(kept, kCounters)};
  if (options.counters < options.k) return usage_of(kind);
  return MadePart{part_with<TopValuesApproxKernel>(options, field, info.type), made};
}

}  // namespace millrace::detail
