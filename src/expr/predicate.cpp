// Conditions on rows: how they are evaluated, and what is said of fields that are none.
#include "expr/predicate.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "expr/evaluation.hpp"

namespace millrace::detail {

bool Predicate::operator()(const RowRef& row) const { return evaluate(root_, row) == Truth::yes; }

std::string no_such_field(std::string_view name, const RowSchema& schema) {
  const std::string near = nearest_word(name, schema.names());
  return fmt::format("there is no field \"{}\"{}", name,
                     near.empty() ? fmt::format("; there are {}", fmt::join(schema.names(), ", "))
                                  : ": did you mean \"" + near + "\"?");
}

}  // namespace millrace::detail
