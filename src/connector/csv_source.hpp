// CsvSource: the rows of a file, a pipe or standard input as records of a described type.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connector/record_source.hpp"
#include "record/codec_csv.hpp"

namespace millrace::detail {

struct CsvFormatOptions {
  CsvDialect dialect;
  bool header = true;                ///< the first line of each input names its columns
  std::vector<std::string> columns;  ///< their names where there is no header; empty: the members'
};

/// A row a line; see CsvDecoder. Errors: 4006 when the columns lack a member.
template <class T>
class CsvFormat {
 public:
  explicit CsvFormat(CsvFormatOptions options = {})
      : options_(std::move(options)), decoder_(options_.dialect) {}

  Decoded decode(std::string_view line, T& record, Arena& texts) {
    return decoder_.decode(line, record, texts);
  }
  const std::string& error() const { return decoder_.error(); }

  Result<bool> header(std::string_view line, bool first, const std::string& path) {
    Status bound;
    if (options_.header) {
      if (!first && decoder_.bound()) return false;
      bound = decoder_.bind_header(line, path);
    } else if (!decoder_.bound() && !options_.columns.empty()) {
      bound = decoder_.bind_names(options_.columns, path);
    } else if (!decoder_.bound()) {
      decoder_.bind_in_order();
    }
    if (!bound) return bound;
    return options_.header;
  }

 private:
  CsvFormatOptions options_;
  CsvDecoder<T> decoder_;
};

template <class T>
using CsvSource = RecordSource<T, CsvFormat<T>>;

}  // namespace millrace::detail
