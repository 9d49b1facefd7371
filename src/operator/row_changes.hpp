// Changes of a table as rows, by other fields than its key: which stay where they are, which move,
// and what they are to a group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "expr/predicate.hpp"
#include "operator/change.hpp"
#include "operator/grouped_rows.hpp"
#include "operator/reference_join.hpp"
#include "operator/stateless.hpp"
#include "record/row_batch.hpp"

namespace millrace::detail {

/// The change that "+I", "-U", "+U" or "-D" says.
std::optional<ChangeKind> change_of_sign(std::string_view sign);

/// Row `at` is the first half of an update that leaves `fields` as they are; see the typed one in
/// change_places.hpp. The sign is the first field.
bool is_update_within(const RowBatch& in, std::size_t at, const std::vector<std::size_t>& fields);

/// A change with its sign in front.
template <>
struct ChangeOf<RowRef> {
  using Type = RowRef;
  static ChangeKind kind(const RowRef& row) { return *change_of_sign(row.text(0)); }
  static const RowRef& record(const RowRef& row) { return row; }
};

/// Tells updates that change `fields` as what they are where rows are kept by them: -D and +I. What
/// comes are changes that a table made. Stateless.
class RowChangeMoves final : public Operator {
 public:
  explicit RowChangeMoves(std::vector<std::size_t> fields) : fields_(std::move(fields)) {}

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool exclusive, Outputs& outputs) override;

 private:
  ChangeKind kind_of(const RowBatch& in, std::size_t at) const;

  std::vector<std::size_t> fields_;
  RowBatch out_;
};

/// What an aggregate reads of a row: a field, or 1 where a condition holds, else 0.
struct TurnValue {
  std::size_t field = 0;
  std::optional<Predicate> condition = {};
};

/// A turn as a row: what happens (see TurnSides), the fields of the group's key, and two fields for
/// each value, as it comes and as it goes.
struct RowTurnPlan {
  RowSchemaPtr schema;
  std::vector<std::size_t> key;  ///< fields of the changes
  std::vector<TurnValue> values;

  static constexpr std::int64_t kGoes = 1;
  static constexpr std::int64_t kComes = 2;
  /// Where in a turn the key begins, and value number `number` as it comes; behind it as it goes.
  static constexpr std::size_t kKey = 1;
  std::size_t place_of(std::size_t number) const { return kKey + key.size() + 2 * number; }
};

/// The plan of turns by `key` whose values are as `infos` says. Their fields may be null.
RowTurnPlan plan_turns(const RowSchema& changes, std::vector<std::size_t> key,
                       std::vector<TurnValue> values, const std::vector<ColumnInfo>& infos);

template <>
struct TurnSides<RowRef> {
  static bool goes(const RowRef& turn) { return (turn.integer(0) & RowTurnPlan::kGoes) != 0; }
  static bool comes(const RowRef& turn) { return (turn.integer(0) & RowTurnPlan::kComes) != 0; }
};

/// Changes as turns: -U and +U of one group are one, so that nobody sees the group without the row.
/// A sign that is none makes the row a dead letter. Stateless. Cost: a copy of the key's fields and
/// the values a row.
class RowChangeTurns final : public Operator {
 public:
  explicit RowChangeTurns(RowTurnPlan plan) : plan_(std::move(plan)) {}

  Anchoring anchoring() const override { return Anchoring::by_record; }
  void process(BatchBase& base, bool exclusive, Outputs& outputs) override;

 private:
  void put_turn(const RowColumns& from, std::optional<std::size_t> goes,
                std::optional<std::size_t> comes);
  void put_value(const RowColumns& from, std::optional<std::size_t> at, const TurnValue& value,
                 Column& column);

  RowTurnPlan plan_;
  RowBatch out_;
};

}  // namespace millrace::detail
