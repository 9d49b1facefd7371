// FedRows: rows for a feed, from texts that each are a record in JSON.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.hpp"
#include "record/arena.hpp"
#include "record/row_reader.hpp"

namespace millrace::detail {

/// Its rows borrow their texts from it. One thread.
class FedRows {
 public:
  explicit FedRows(RowSchemaPtr schema) : format_(std::move(schema)) {}

  /// All of `records`, or 2010 with the first that is no row of the schema.
  template <class Text>
  Result<RowColumns> read(std::span<const Text> records) {
    RowColumns rows;
    for (const std::string_view record : records) {
      switch (format_.append(texts_->intern(record), rows, *texts_)) {
        case Decoded::record:
          continue;
        case Decoded::blank:
          return refused("is blank", record);
        case Decoded::failed:
          return refused(format_.error(), record);
      }
    }
    return rows;
  }

 private:
  static Status refused(const std::string& why, std::string_view record) {
    return {Code::parameter_invalid, "test driver: a row that cannot be piped: " + why +
                                         ", found " + std::string(record) +
                                         "; give a JSON object with the fields of the source"};
  }

  RowJsonFormat format_;
  ArenaRef texts_ = ArenaRef::make(4096);
};

}  // namespace millrace::detail
