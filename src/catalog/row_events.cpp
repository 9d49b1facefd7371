// Numbers that are watched, and the fields of what is told of them.
#include "catalog/row_events.hpp"

#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace millrace::detail {

std::optional<AnyNumber> number_field(const Making& making, const ConfigNode& name,
                                      std::string_view what) {
  const auto field = making.field(name);
  if (!field) return std::nullopt;
  const ColumnInfo& info = making.input->schema->fields()[*field];
  const bool real = info.type == ColumnType::real;
  if (real || info.type == ColumnType::integer) return AnyNumber{*field, real};
  making.mistakes.add(name.place, fmt::format("{}, \"{}\" is of type {}", what, info.name,
                                              column_type_name(info.type)));
  return std::nullopt;
}

RowSchemaPtr event_schema(const Making& making, std::vector<ColumnInfo> before,
                          std::vector<ColumnInfo> behind) {
  std::vector<ColumnInfo> fields = std::move(before);
  for (const std::size_t field : making.key) {
    fields.push_back(making.input->schema->fields()[field]);
  }
  for (ColumnInfo& info : behind) fields.push_back(std::move(info));
  if (const std::string twice = repeated_field(fields); !twice.empty()) {
    making.mistakes.add(making.text.place, twice);
    return nullptr;
  }
  return std::make_shared<const RowSchema>(std::move(fields),
                                           RowRole{false, false, making.key.size()});
}

}  // namespace millrace::detail
