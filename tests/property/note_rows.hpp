// The notes of random steps as rows, and rows as they are compared.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "operator_cuts.hpp"
#include "record/row_batch.hpp"

namespace millrace::property {

/// The same steps with rows of `schema` for notes: put(RowColumns&, place, note) puts the fields of
/// one.
template <class Put>
std::vector<OperatorStep> notes_as_rows(std::vector<OperatorStep> steps, const RowSchemaPtr& schema,
                                        Put put) {
  for (OperatorStep& step : steps) {
    if (!step.batch) continue;
    const auto& notes = static_cast<const Batch<Note>&>(*step.batch);
    auto rows = std::make_shared<detail::RowBatch>();
    rows->times = notes.times;
    rows->arrivals = notes.arrivals;
    rows->behind = notes.behind;
    rows->values.begin(schema);
    for (std::size_t at = 0; at < notes.values.size(); ++at) {
      put(rows->values, at, notes.values[at]);
      rows->values.end_row();
    }
    step.batch = std::move(rows);
  }
  return steps;
}

/// A lane for what lane(row) says, its text with port and time.
template <class Lane>
OperatorTasks::Show show_rows_by(Lane lane) {
  return [lane](std::uint32_t port, const detail::BatchBase& batch, std::size_t at) {
    const auto& rows = static_cast<const detail::RowBatch&>(batch);
    return std::pair(
        std::string(lane(rows.values[at])),
        fmt::format("{} {} {}", port, rows.times[at], batch_type<RowRef>().describe(rows, at)));
  };
}

}  // namespace millrace::property
