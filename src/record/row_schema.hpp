// RowSchema: the fields of rows whose names and types are known only when the program runs.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "record/schema.hpp"

namespace millrace {

/// What is known of rows besides their fields.
struct RowRole {
  bool windowed = false;  ///< the last two fields are window_start and window_end
  bool ranked = false;    ///< the first field is the rank in the window
  std::size_t keys = 0;   ///< so many fields, behind the rank, are the key of an aggregate
  /// The last two fields that are shown are firing and retracted: a row replaces those before it of
  /// its key and window.
  bool updates = false;
  std::vector<std::string> row_keys = {};  ///< see RowNames
};

/// The fields of a row, in order. Immutable; shared by all batches of a stream. Of type object are
/// lists and structs, as JSON on one line: they are shown and written, not compared.
class RowSchema {
 public:
  explicit RowSchema(std::vector<ColumnInfo> fields, RowRole role = {})
      : fields_(std::move(fields)), role_(role) {}

  const std::vector<ColumnInfo>& fields() const { return fields_; }
  const RowRole& role() const { return role_; }
  /// The fields that are shown as cells: all but the window's bounds.
  std::size_t shown() const { return fields_.size() - (role_.windowed ? 2 : 0); }
  /// The field of that name, exactly or as snake_case = camelCase. O(fields).
  std::optional<std::size_t> find(std::string_view name) const {
    for (std::size_t at = 0; at < fields_.size(); ++at) {
      if (fields_[at].name == name) return at;
    }
    for (std::size_t at = 0; at < fields_.size(); ++at) {
      if (detail::same_field_name(fields_[at].name, name)) return at;
    }
    return std::nullopt;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const ColumnInfo& field : fields_) names.push_back(field.name);
    return names;
  }

 private:
  std::vector<ColumnInfo> fields_;
  RowRole role_;
};

using RowSchemaPtr = std::shared_ptr<const RowSchema>;

}  // namespace millrace
