// Values of rows that a pattern has matched: what its conditions compare, and what its rows show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "expr/evaluation.hpp"
#include "operator/matched.hpp"
#include "record/row_batch.hpp"

namespace millrace::detail {

/// One value of the rows matched so far.
struct MatchedField {
  enum class Of : std::uint8_t { first, last, count };
  static constexpr std::uint32_t kAnyStage = 0xffff'ffff;

  Of of = Of::last;
  std::uint32_t stage = kAnyStage;  ///< of MatchPlan::stages
  std::size_t field = 0;            ///< of the row; not of a count

  friend bool operator==(const MatchedField&, const MatchedField&) = default;
};

/// The row that the field is of; null: the stage has taken none. O(rows matched).
const RowRef* row_of(const MatchedField& field, const Matched<RowRef>& matched);
std::int64_t matched_count(const MatchedField& field, const Matched<RowRef>& matched);

/// A row, and behind its fields those of rows matched before it, as one row that a condition is
/// evaluated on. A value of a stage that has taken none is null. Borrows all.
class RowAndMatched {
 public:
  RowAndMatched(const RowRef& row, const Matched<RowRef>& matched,
                std::span<const MatchedField> others)
      : row_(row), matched_(matched), others_(others), own_(row.schema().fields().size()) {}

  bool is_null(std::size_t field) const {
    if (field < own_) return row_.is_null(field);
    const MatchedField& other = others_[field - own_];
    if (other.of == MatchedField::Of::count) return false;
    const RowRef* const row = row_of(other, matched_);
    return row == nullptr || row->is_null(other.field);
  }
  std::int64_t integer(std::size_t field) const {
    if (field >= own_ && others_[field - own_].of == MatchedField::Of::count)
      return matched_count(others_[field - own_], matched_);
    const auto [row, at] = place(field);
    return row->integer(at);
  }
  bool boolean(std::size_t field) const {
    const auto [row, at] = place(field);
    return row->boolean(at);
  }
  double real(std::size_t field) const {
    const auto [row, at] = place(field);
    return row->real(at);
  }
  std::string_view text(std::size_t field) const {
    const auto [row, at] = place(field);
    return row->text(at);
  }

 private:
  /// Of a value that is not null.
  std::pair<const RowRef*, std::size_t> place(std::size_t field) const {
    if (field < own_) return {&row_, field};
    const MatchedField& other = others_[field - own_];
    return {row_of(other, matched_), other.field};
  }

  const RowRef& row_;
  const Matched<RowRef>& matched_;
  std::span<const MatchedField> others_;
  std::size_t own_;
};

/// A condition on a row and those matched before it; fields from those of the row on are `others`.
struct MatchedPredicate {
  PredicateNode root;
  std::vector<MatchedField> others;

  bool operator()(const RowRef& row, const Matched<RowRef>& matched) const {
    return evaluate(root, RowAndMatched(row, matched, others)) == Truth::yes;
  }
};

/// Makes the rows of a match: of the match itself, or of each of its rows.
struct RowsOfMatch {
  RowSchemaPtr schema;
  std::vector<std::size_t> key;  ///< of the input; where each row of a match leaves: not used
  std::vector<MatchedField> values;
  /// Rows are stage, step, the values and the fields of one of the match's rows; else the key's
  /// fields, the match's time and the values.
  bool each = false;

  void operator()(RowBatch& out, const Match<RowRef>& match) const;
};

}  // namespace millrace::detail
