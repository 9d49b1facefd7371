// Row formats: lines of JSON, of CSV and plain ones as rows, by the readers that typed records use.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "record/codec_csv.hpp"
#include "record/codec_json.hpp"
#include "record/row_batch.hpp"

namespace millrace::detail {

/// A record laid out by a RowSchema: where the readers put the values of one line, before they go
/// into their columns.
class RowScratch {
 public:
  /// At most 64 fields.
  explicit RowScratch(RowSchemaPtr schema);

  const RowSchemaPtr& schema() const { return schema_; }
  ValuePlan plan() const;
  void* record() { return bytes_.get(); }
  /// Appends what the record holds.
  void append_to(RowColumns& rows) const;
  /// Empties optionals, as a record that was just made.
  void reset();

 private:
  struct Slot {
    ColumnType type;
    bool optional;
    std::uint32_t offset;
  };

  RowSchemaPtr schema_;
  std::unique_ptr<ObjectPlan> object_;
  std::vector<Slot> slots_;
  std::unique_ptr<std::byte[]> bytes_;
};

/// A format of RecordSource for JSON lines.
class RowJsonFormat {
 public:
  explicit RowJsonFormat(RowSchemaPtr schema, TimeUnit unit = TimeUnit::milliseconds);

  Decoded append(std::string_view line, RowColumns& rows, Arena& texts);
  const std::string& error() const { return reader_.error(); }
  Result<bool> header(std::string_view, std::uint64_t, bool, const std::string&) { return false; }
  void ended(std::uint64_t) {}

 private:
  RowScratch scratch_;
  JsonReader reader_;
};

/// A format of RecordSource for lines as they are: one field, a text.
class RowLineFormat {
 public:
  explicit RowLineFormat(RowSchemaPtr schema) : schema_(std::move(schema)) {}

  Decoded append(std::string_view line, RowColumns& rows, Arena&) {
    rows.begin(schema_);
    rows.column(0).put_text(rows.size(), line);
    rows.end_row();
    return Decoded::record;
  }
  const std::string& error() const { return no_error_; }
  Result<bool> header(std::string_view, std::uint64_t, bool, const std::string&) { return false; }
  void ended(std::uint64_t) {}

 private:
  RowSchemaPtr schema_;
  std::string no_error_;
};

}  // namespace millrace::detail
