// Sources of rows: lines of JSON, CSV and plain ones, by the readers that typed records use.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "connector/csv_source.hpp"
#include "connector/record_source.hpp"
#include "record/row_reader.hpp"

namespace millrace::detail {

/// As CsvFormat, for rows.
class RowCsvFormat {
 public:
  RowCsvFormat(RowSchemaPtr schema, CsvFormatOptions options)
      : schema_(std::move(schema)), options_(std::move(options)) {}

  Decoded append(std::string_view line, RowColumns& rows, Arena& texts) {
    if (!now_->header.empty() && line == now_->header) return Decoded::blank;
    const Decoded decoded = now_->reader.decode(line, now_->scratch.record(), texts);
    if (decoded == Decoded::record) now_->scratch.append_to(rows);
    return decoded;
  }
  const std::string& error() const { return now_->reader.error(); }

  Result<bool> header(std::string_view line, std::uint64_t input, bool first,
                      const std::string& path) {
    const auto [entry, fresh] = inputs_.try_emplace(input, schema_, options_);
    now_ = &entry->second;
    Status bound;
    if (options_.header) {
      if (!first && !fresh) return false;
      now_->header = line;
      now_->scratch.reset();
      bound = now_->reader.bind_header(line, path);
    } else if (fresh) {
      now_->reader.bind_in_order();
    }
    if (!bound) return bound;
    return options_.header;
  }
  void ended(std::uint64_t input) { inputs_.erase(input); }

  std::string note(std::uint64_t input) const {
    const auto found = inputs_.find(input);
    return found == inputs_.end() ? std::string() : found->second.header;
  }
  Status take_note(std::uint64_t input, const std::string& note, const std::string& path) {
    if (!options_.header) return {};
    now_ = &inputs_.try_emplace(input, schema_, options_).first->second;
    now_->header = note;
    now_->scratch.reset();
    const std::string padded = note + std::string(CsvRow::kPaddingBytes, '\0');
    return now_->reader.bind_header(std::string_view(padded).substr(0, note.size()), path);
  }

 private:
  struct Input {
    Input(const RowSchemaPtr& schema, const CsvFormatOptions& options)
        : scratch(schema), reader(scratch.plan(), options.dialect, options.unit) {}
    RowScratch scratch;
    CsvReader reader;
    std::string header;
  };

  RowSchemaPtr schema_;
  CsvFormatOptions options_;
  std::map<std::uint64_t, Input> inputs_;  // those that have not ended
  Input* now_ = nullptr;                   // of the last header()
};

using RowJsonSource = RecordSource<RowRef, RowJsonFormat>;
using RowCsvSource = RecordSource<RowRef, RowCsvFormat>;
using RowLineSource = RecordSource<RowRef, RowLineFormat>;

}  // namespace millrace::detail
