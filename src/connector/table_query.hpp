// TableQuery: names and values of a request as a question to a served table.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/served_table.hpp"

namespace millrace::detail {

/// Where a page of rows ends, as people hand it back: letters, digits, '-' and '_'.
std::string page_token(std::string_view key);

/// The question, or a sentence that says what is wrong with the query.
struct TableQuery {
  ServedQuestion question = {};
  std::string wrong = {};
};
/// `query`: names and values in their order. See docs/formats/rest.md.
TableQuery read_table_query(const ServedTable& table,
                            const std::vector<std::pair<std::string, std::string>>& query);

}  // namespace millrace::detail
