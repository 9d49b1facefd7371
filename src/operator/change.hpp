// Change: what becomes of a row of a table; how streams of changes are shown.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/row_shape.hpp"

namespace millrace {

/// Flink's row kinds, "+I", "-U", "+U" and "-D".
enum class ChangeKind : std::uint8_t {
  insert,         ///< a row of a key that had none
  update_before,  ///< the row as it was; the next change of its key is its successor
  update_after,   ///< and as it is from now on
  erase,          ///< the row as it was: the key has none from now on
};

/// "+I", "-U", "+U" or "-D".
constexpr std::string_view change_sign(ChangeKind kind) {
  constexpr std::array<std::string_view, 4> kSigns{"+I", "-U", "+U", "-D"};
  return kSigns[static_cast<std::size_t>(kind)];
}

/// One change of a table. Who applies all of them in their order has the table.
template <class T>
struct Change {
  ChangeKind kind = ChangeKind::insert;
  T record{};

  /// What it tells no longer holds: -U and -D.
  bool takes_back() const { return kind == ChangeKind::update_before || kind == ChangeKind::erase; }
  std::string_view sign() const { return change_sign(kind); }
};

namespace detail {

/// The column of the sign, in front of those of the record.
inline constexpr const char* kChangeColumn = "change";

/// Whether a record deletes the row of its key; empty: none does.
template <class T>
using DeletesRow = std::function<bool(const T&)>;

template <class T>
struct RowShape<Change<T>> {
  static std::vector<ColumnInfo> columns(const RowNames& names) {
    std::vector<ColumnInfo> columns = {{kChangeColumn, ColumnType::text}};
    for (ColumnInfo& column : RowShape<T>::columns(names)) columns.push_back(std::move(column));
    return columns;
  }
  template <class Visit>
  static void visit_cells(const Change<T>& row, const Visit& visit) {
    visit(row.sign());
    RowShape<T>::visit_cells(row.record, visit);
  }
  static std::optional<std::pair<Time, Time>> window(const Change<T>&) { return std::nullopt; }
};

}  // namespace detail
}  // namespace millrace
