// What is answered to questions about served tables: see docs/formats/rest.md.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/served_table.hpp"
#include "service/service.hpp"

namespace millrace::detail {

/// {"tables": [...]}: what there is to ask.
std::string tables_json(const ServedTables& tables);

/// The rows of the table `name` that `query` asks for. 400 for a query that it has no answer to,
/// 404 where there is no such table, 503 while it is being restored; each with a sentence. Cost:
/// see ServedTable::ask().
PageAnswer answer_table(const ServedTables& tables, std::string_view name, const PageQuery& query);

}  // namespace millrace::detail
