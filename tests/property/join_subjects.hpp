// Joins under test that are cut at random places, of notes and of rows, and what they are given.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/millrace.hpp"
#include "note_rows.hpp"
#include "operator/row_fields.hpp"
#include "operator/row_pairs.hpp"
#include "operator_cuts.hpp"

namespace millrace::property {

using detail::JoinKind;

/// Of a note by its name, what it meets.
struct Met {
  std::string_view name;
  std::int64_t left = -1;  ///< -1: none
  std::int64_t right = -1;
};

/// Notes of either side, as note(time) makes them, and watermarks.
template <class MakeNote>
std::vector<OperatorStep> two_sides_of(Draw& draw, MakeNote note) {
  std::vector<OperatorStep> steps;
  while (steps.size() < 120) {
    const std::uint64_t what = draw.random().below(10);
    if (what < 8) {
      steps.push_back(draw.batch<Note>(what < 4 ? 0 : 1, note));
    } else {
      steps.push_back(draw.watermark());
    }
  }
  steps.push_back({.kind = OperatorStep::Kind::watermark, .watermark = kTimeMax});
  return steps;
}

inline std::vector<OperatorStep> two_sides(Draw& draw) {
  return two_sides_of(draw, [&](Time time) { return draw.note(time); });
}

/// Port 0 has the rows, the others the notes that are late. Places count where rows have them.
inline OperatorTasks::Show show_met() {
  return [](std::uint32_t port, const detail::BatchBase& base, std::size_t at) {
    if (port > 0) return show_by<Note>([](const Note& note) { return note.name; })(port, base, at);
    auto shown = show_by<Met>([](const Met& met) { return met.name; })(port, base, at);
    if (!base.arrivals.empty()) {
      const detail::Arrival& place = base.arrivals[at];
      shown.second += fmt::format(" {} {} {}", place.origin, place.path, place.number);
    }
    return shown;
  };
}

inline const auto kMeet = [](const Note* left, const Note* right) {
  Met met;
  met.name = left != nullptr ? left->name : right->name;
  if (left != nullptr) met.left = left->number;
  if (right != nullptr) met.right = right->number;
  if (met.left == 63) throw std::runtime_error("as asked");
  return met;
};
using Meeting = detail::PairMaker<JoinKind::full, decltype(kMeet)>;

/// `make(key)` makes the operator of two inputs that are keyed alike.
template <class Make>
Subject joining(Make make, bool makes_arrivals) {
  const auto key = key_by<Note>(&Note::name);
  return {[key, make] { return make(key); },
          {{&batch_type<Note>(), key}, {&batch_type<Note>(), key}},
          show_met(),
          makes_arrivals};
}

/// Of groups the numbers of their records, in their order.
struct Grouped {
  std::string_view name;
  std::vector<std::int64_t> left, right;
};
inline const auto kGroup = [](const CoGroup<std::string_view, Note, Note>& group,
                              Output<Grouped>& out) {
  Grouped row{group.key, {}, {}};
  for (const Note& note : group.left) row.left.push_back(note.number);
  for (const Note& note : group.right) row.right.push_back(note.number);
  out.emit(std::move(row));
};

// ---- rows

inline RowSchemaPtr note_fields() {
  return std::make_shared<const RowSchema>(std::vector<ColumnInfo>{
      {"name", ColumnType::text}, {"key", ColumnType::integer}, {"half", ColumnType::real, true}});
}
inline std::vector<OperatorStep> as_rows(std::vector<OperatorStep> steps) {
  return notes_as_rows(std::move(steps), note_fields(),
                       [](detail::RowColumns& rows, std::size_t at, const Note& note) {
                         rows.column(0).put_text(at, note.name);
                         rows.column(1).put_integer(at, note.number);
                         if (note.number % 3 == 0) {
                           rows.column(2).put_null(at);
                         } else {
                           rows.column(2).put_real(at, static_cast<double>(note.number) / 2);
                         }
                       });
}
inline OperatorTasks::Show show_row_pairs() {
  return show_rows_by([](const RowRef& row) { return row.text(row.is_null(0) ? 3 : 0); });
}
inline detail::RowPairs pairs_of(const RowSchemaPtr& left) {
  const RowSchemaPtr right = note_fields();
  std::vector<ColumnInfo> fields;
  for (const char* side : {"", "right_"}) {
    for (ColumnInfo field : right->fields()) {
      field.name = side + field.name;
      field.optional = true;
      fields.push_back(std::move(field));
    }
  }
  return {std::make_shared<const RowSchema>(std::move(fields)), left, right};
}
inline std::vector<OperatorStep> two_sides_of_rows(Draw& draw) { return as_rows(two_sides(draw)); }
using RowKey = detail::KeyFn<RowRef, detail::TextField>;
inline Subject joining_rows(const RowSchemaPtr& left) {
  using Op = detail::IntervalJoin<RowRef, RowKey, RowRef, RowKey, RowRef, detail::RowPairs>;
  const auto key =
      std::make_shared<const detail::TypedKeyHash<RowRef, RowKey>>(RowKey(detail::TextField{0}));
  const JoinInterval interval{.before = Duration(12), .after = Duration(20)};
  return {[=] { return std::make_unique<Op>(interval, JoinKind::full, key, key, pairs_of(left)); },
          {{&batch_type<RowRef>(), key}, {&batch_type<RowRef>(), key}},
          show_row_pairs()};
}

}  // namespace millrace::property
