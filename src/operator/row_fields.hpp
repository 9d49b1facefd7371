// Fields of rows as what verbs take: the values of kernels, keys and event time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "record/row_batch.hpp"

namespace millrace::detail {

/// Each takes one field; the ones named Maybe take fields that may be null.
struct IntegerField {
  std::size_t field;
  std::int64_t operator()(const RowRef& row) const noexcept { return row.integer(field); }
};
struct RealField {
  std::size_t field;
  double operator()(const RowRef& row) const noexcept { return row.real(field); }
};
struct TextField {
  std::size_t field;
  std::string_view operator()(const RowRef& row) const noexcept { return row.text(field); }
};
struct TimeField {
  std::size_t field;
  Timestamp operator()(const RowRef& row) const noexcept { return row.time(field); }
  /// Of a replay: what is shown agrees with the time it is processed under.
  void shift(RowBatch& batch, std::int64_t micros) const {
    batch.values.column(field).shift(micros);
  }
};

struct MaybeInteger {
  std::size_t field;
  std::optional<std::int64_t> operator()(const RowRef& row) const noexcept {
    return row.is_null(field) ? std::nullopt : std::optional(row.integer(field));
  }
};
struct MaybeReal {
  std::size_t field;
  std::optional<double> operator()(const RowRef& row) const noexcept {
    return row.is_null(field) ? std::nullopt : std::optional(row.real(field));
  }
};
struct MaybeText {
  std::size_t field;
  std::optional<std::string_view> operator()(const RowRef& row) const noexcept {
    return row.is_null(field) ? std::nullopt : std::optional(row.text(field));
  }
};
struct MaybeTime {
  std::size_t field;
  std::optional<Timestamp> operator()(const RowRef& row) const noexcept {
    return row.is_null(field) ? std::nullopt : std::optional(row.time(field));
  }
};
struct MaybeBoolean {
  std::size_t field;
  std::optional<std::int64_t> operator()(const RowRef& row) const noexcept {
    return row.is_null(field) ? std::nullopt : std::optional<std::int64_t>(row.boolean(field));
  }
};
/// A number of either type; NaN for null.
struct AnyNumber {
  std::size_t field;
  bool real;
  double operator()(const RowRef& row) const noexcept;
};

/// A number of either type, or none for null.
struct MaybeNumber {
  std::size_t field;
  bool real;
  std::optional<double> operator()(const RowRef& row) const noexcept {
    if (row.is_null(field)) return std::nullopt;
    return real ? row.real(field) : static_cast<double>(row.integer(field));
  }
};

/// Several fields, or one that no simple key can hold, as bytes that are equal exactly when the
/// fields are and that sort as the fields do: null first, false before true, numbers by size (one
/// NaN, behind all; one zero), texts by their bytes. Texts end with two zero bytes, zeros in them
/// are followed by 0xff (as FoundationDB's tuple layer encodes them).
class KeyFields {
 public:
  explicit KeyFields(std::vector<std::size_t> fields) : fields_(std::move(fields)) {}

  std::string operator()(const RowRef& row) const;
  const std::vector<std::size_t>& fields() const { return fields_; }

 private:
  std::vector<std::size_t> fields_;
};

/// Whether the bytes are such a key of the first `fields` fields of rows of `schema`. Any may come.
bool key_fields_fit(std::string_view key, const RowSchema& schema, std::size_t fields);

/// Puts the fields that KeyFields encoded into columns from `column` on, as the next row. Texts
/// with zeros are written to `arena`.
void put_key_fields(std::string_view key, RowColumns& rows, std::size_t column, std::size_t fields,
                    Arena& arena);

}  // namespace millrace::detail
