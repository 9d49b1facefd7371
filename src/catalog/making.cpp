// What entries make their components with: fields and conditions by name, mistakes at their places.
#include <fmt/format.h>

#include "base/text.hpp"
#include "catalog/entry.hpp"

namespace millrace::detail {

void Making::wrong(std::string_view parameter, std::string message) const {
  const ConfigNode* const node = settings.node(parameter);
  mistakes.add(node ? node->place : text.type_place, std::move(message));
}

std::optional<std::size_t> Making::field(const ConfigNode& name) const {
  const auto found = input->schema->find(name.text);
  if (!found) mistakes.add(name.place, no_such_field(name.text, *input->schema));
  return found;
}

std::optional<Predicate> Making::condition(const ConfigNode& node) const {
  auto parsed = parse_predicate(node.text, *input->schema);
  if (auto* const predicate = std::get_if<Predicate>(&parsed)) return std::move(*predicate);
  const auto& error = std::get<ExprError>(parsed);
  mistakes.add(node.place_of(error.offset), error.message);
  return std::nullopt;
}

Stream<RowRef> Making::finished(const Stream<RowRef>& rows) const {
  const Stream<RowRef> named = rows.named(text.id);
  return text.parallelism ? named.parallel(*text.parallelism) : named;
}

MadeStreams Making::same_rows(const Stream<RowRef>& rows) const {
  return MadeStreams::of(row_stream(finished(rows), input->schema));
}

std::string repeated_field(const std::vector<ColumnInfo>& fields) {
  for (std::size_t at = 0; at < fields.size(); ++at) {
    for (std::size_t before = 0; before < at; ++before) {
      if (fields[before].name != fields[at].name) continue;
      return fmt::format("two fields of the result are called \"{}\": give one another name",
                         fields[at].name);
    }
  }
  return {};
}

}  // namespace millrace::detail
