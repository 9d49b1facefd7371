// Changes of rows as moves and as turns of groups.
#include "operator/row_changes.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

namespace millrace::detail {
namespace {

bool same_value(const Column& column, std::size_t one, std::size_t other) {
  if (column.is_null(one) || column.is_null(other))
    return column.is_null(one) && column.is_null(other);
  switch (column.type()) {
    case ColumnType::text:
    case ColumnType::object:
      return column.text(one) == column.text(other);
    case ColumnType::boolean:
      return column.boolean(one) == column.boolean(other);
    case ColumnType::real:  // one NaN and one zero, as keys have
      return column.real(one) == column.real(other) ||
             (std::isnan(column.real(one)) && std::isnan(column.real(other)));
    default:
      return column.integer(one) == column.integer(other);
  }
}

ChangeKind kind_of_row(const RowColumns& rows, std::size_t at) {
  const std::string_view sign = rows.column(0).text(at);
  if (const auto kind = change_of_sign(sign)) return *kind;
  throw std::runtime_error("\"" + std::string(sign) +
                           "\" is no change of a table: they are +I, -U, +U and -D");
}

}  // namespace

std::optional<ChangeKind> change_of_sign(std::string_view sign) {
  for (const ChangeKind kind : {ChangeKind::insert, ChangeKind::update_before,
                                ChangeKind::update_after, ChangeKind::erase}) {
    if (sign == change_sign(kind)) return kind;
  }
  return std::nullopt;
}

bool is_update_within(const RowBatch& in, std::size_t at, const std::vector<std::size_t>& fields) {
  const Column& signs = in.values.column(0);
  if (at + 1 == in.values.size() || signs.text(at) != change_sign(ChangeKind::update_before) ||
      signs.text(at + 1) != change_sign(ChangeKind::update_after)) {
    return false;
  }
  for (const std::size_t field : fields) {
    if (!same_value(in.values.column(field), at, at + 1)) return false;
  }
  return true;
}

void RowChangeMoves::process(BatchBase& base, bool, Outputs& outputs) {
  auto& in = static_cast<RowBatch&>(base);
  out_.clear();
  carry_marks(in, out_);
  batch_type<RowRef>().append_all(out_, in);
  out_.hashed_by = nullptr;
  out_.hashes.clear();
  for (std::size_t at = 0; at < in.values.size(); ++at) {
    out_.values.column(0).set_text(at, change_sign(kind_of(in, at)));
  }
  tally().processed += in.values.size();
  outputs.push(0, out_);
}

ChangeKind RowChangeMoves::kind_of(const RowBatch& in, std::size_t at) const {
  const ChangeKind kind = kind_of_row(in.values, at);
  if (kind == ChangeKind::update_before)
    return is_update_within(in, at, fields_) ? kind : ChangeKind::erase;
  if (kind == ChangeKind::update_after)
    return at > 0 && is_update_within(in, at - 1, fields_) ? kind : ChangeKind::insert;
  return kind;
}

RowTurnPlan plan_turns(const RowSchema& changes, std::vector<std::size_t> key,
                       std::vector<TurnValue> values, const std::vector<ColumnInfo>& infos) {
  std::vector<ColumnInfo> fields = {{"turn", ColumnType::integer}};
  for (const std::size_t field : key) fields.push_back(changes.fields()[field]);
  for (const ColumnInfo& info : infos) {
    fields.push_back({info.name, info.type, true});
    fields.push_back({info.name + " before", info.type, true});
  }
  return {std::make_shared<const RowSchema>(std::move(fields)), std::move(key), std::move(values)};
}

void RowChangeTurns::process(BatchBase& base, bool, Outputs& outputs) {
  auto& in = static_cast<RowBatch&>(base);
  out_.clear();
  carry_marks(in, out_);
  out_.hashed_by = nullptr;
  out_.values.begin(plan_.schema);
  std::size_t cursor = 0;
  std::size_t paired = in.values.size();  // the +U that has gone with its -U
  const auto turn = [&](std::size_t at) {
    if (at == paired) return;
    const std::size_t mark = out_.values.size();
    if (is_update_within(in, at, plan_.key)) {
      put_turn(in.values, at, at + 1);
      paired = at + 1;
    } else {
      const ChangeKind kind = kind_of_row(in.values, at);
      const bool goes = kind == ChangeKind::update_before || kind == ChangeKind::erase;
      put_turn(in.values, goes ? std::optional(at) : std::nullopt,
               goes ? std::nullopt : std::optional(at));
    }
    inherit_time(in, at, out_, mark, out_.values.size(), cursor);
    inherit_arrival(in, at, out_, mark, out_.values.size());
  };
  const std::size_t failed = guarded_loop(0, in.values.size(), in, batch_type<RowRef>(),
                                          *context().dead_letters, turn, [](std::size_t) {});
  tally().processed += in.values.size() - failed;
  tally().dead_lettered += failed;
  if (out_.values.empty()) return;
  out_.pin_all(in);
  outputs.push(0, out_);
}

void RowChangeTurns::put_turn(const RowColumns& from, std::optional<std::size_t> goes,
                              std::optional<std::size_t> comes) {
  RowColumns& turns = out_.values;
  const std::size_t at = turns.size();
  turns.column(0).put_integer(at,
                              (goes ? RowTurnPlan::kGoes : 0) | (comes ? RowTurnPlan::kComes : 0));
  for (std::size_t number = 0; number < plan_.key.size(); ++number) {
    turns.column(RowTurnPlan::kKey + number)
        .append_one(at, from.column(plan_.key[number]), comes ? *comes : *goes);
  }
  for (std::size_t number = 0; number < plan_.values.size(); ++number) {
    const std::size_t place = plan_.place_of(number);
    put_value(from, comes, plan_.values[number], turns.column(place));
    put_value(from, goes, plan_.values[number], turns.column(place + 1));
  }
  turns.end_row();
}

void RowChangeTurns::put_value(const RowColumns& from, std::optional<std::size_t> at,
                               const TurnValue& value, Column& column) {
  const std::size_t size = out_.values.size();
  if (!at) return column.put_null(size);
  if (!value.condition) return column.append_one(size, from.column(value.field), *at);
  column.put_integer(size, (*value.condition)(from[*at]) ? 1 : 0);
}

}  // namespace millrace::detail
