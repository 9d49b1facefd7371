// Quoting of cells.
#include "record/record_csv.hpp"

namespace millrace::detail {

void append_csv_text(std::string& out, std::string_view text, const CsvDialect& dialect) {
  const char special[] = {dialect.separator, dialect.quote, '\n', '\r'};
  const bool plain =
      !text.empty() && text.front() != ' ' && text.back() != ' ' &&
      text.find_first_of(std::string_view(special, sizeof special)) == std::string_view::npos;
  if (plain || dialect.quote == '\0') {
    out += text;
    return;
  }
  out += dialect.quote;
  for (const char c : text) {
    out += c;
    if (c == dialect.quote) out += c;
  }
  out += dialect.quote;
}

}  // namespace millrace::detail
