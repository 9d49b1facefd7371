// Fields of plain CSV lines, as the data files beside the clone have them.
#pragma once

#include "golden_run.hpp"

namespace millrace::golden {

inline std::vector<std::string_view> split_line(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t end; (end = line.find(',')) != line.npos; line.remove_prefix(end + 1)) {
    fields.push_back(line.substr(0, end));
  }
  fields.push_back(line);
  return fields;
}

inline double number_of(std::string_view text) {
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Whole seconds since 1970, or a stamp without a zone.
inline Timestamp time_of(std::string_view text) {
  if (text.find('-') != text.npos) return {detail::parse_iso_time(text).value()};
  return {static_cast<Time>(number_of(text)) * 1'000'000};
}

}  // namespace millrace::golden
