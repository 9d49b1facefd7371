// Looking for the rows that values of a match are of, and making rows of them.
#include "operator/matched_fields.hpp"

#include <algorithm>

namespace millrace::detail {
namespace {

using Entry = Matched<RowRef>::Entry;

bool is_of(const MatchedField& field, const Entry& entry) {
  return field.stage == MatchedField::kAnyStage || entry.stage == field.stage;
}

void put_value(const MatchedField& value, const Match<RowRef>& match, Column& column,
               std::size_t at) {
  if (value.of == MatchedField::Of::count)
    return column.put_integer(at, matched_count(value, match));
  const RowRef* const row = row_of(value, match);
  if (row == nullptr) return column.put_null(at);
  column.append_one(at, row->rows().column(value.field), row->at());
}

}  // namespace

const RowRef* row_of(const MatchedField& field, const Matched<RowRef>& matched) {
  const auto entries = matched.entries();
  const auto fits = [&field](const Entry& entry) { return is_of(field, entry); };
  if (field.of == MatchedField::Of::first) {
    const auto found = std::ranges::find_if(entries, fits);
    return found == entries.end() ? nullptr : found->record;
  }
  const auto found = std::find_if(entries.rbegin(), entries.rend(), fits);
  return found == entries.rend() ? nullptr : found->record;
}

std::int64_t matched_count(const MatchedField& field, const Matched<RowRef>& matched) {
  return std::ranges::count_if(matched.entries(),
                               [&field](const Entry& entry) { return is_of(field, entry); });
}

void RowsOfMatch::operator()(RowBatch& out, const Match<RowRef>& match) const {
  RowColumns& rows = out.values;
  if (rows.empty()) rows.begin(schema);
  for (std::size_t step = 0; step < (each ? match.size() : 1); ++step) {
    const std::size_t at = rows.size();
    const MatchedRecord<RowRef> of = match.at(step);
    std::size_t field = 0;
    const auto copy = [&](std::size_t from) {
      rows.column(field++).append_one(at, of.record.rows().column(from), of.record.at());
    };
    if (each) {
      rows.column(field++).put_text(at, of.stage);
      rows.column(field++).put_integer(at, static_cast<std::int64_t>(step) + 1);
    } else {
      for (const std::size_t part : key) copy(part);
      rows.column(field++).put_integer(at, match.time().micros);
    }
    for (const MatchedField& value : values) put_value(value, match, rows.column(field++), at);
    if (each) {
      for (std::size_t from = 0; from < of.record.schema().fields().size(); ++from) copy(from);
    }
    rows.end_row();
  }
}

}  // namespace millrace::detail
