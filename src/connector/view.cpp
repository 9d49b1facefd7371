// View: a small sorted table, replaced window by window.
#include "connector/view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/check.hpp"

namespace millrace::detail {
namespace {

std::optional<std::size_t> find_column(const std::vector<ColumnReport>& columns,
                                       const std::string& name) {
  const auto found = std::ranges::find(columns, name, &ColumnReport::name);
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

}  // namespace

View::View(ViewOptions options) : options_(std::move(options)) {
  rank_column_ = find_column(options_.columns, "rank");
  for (const std::string& name : options_.key_columns) {
    const auto column = find_column(options_.columns, name);
    MR_CHECK(column.has_value(), "a key column of a view is not among its columns");
    key_columns_.push_back(*column);
  }
  if (options_.kind == "top" && key_columns_.empty() && rank_column_)
    key_columns_.push_back(*rank_column_);
  if (options_.kind == "line" || options_.kind == "number") find_chart_columns();
}

void View::find_chart_columns() {
  const auto first_of = [this](auto fits) -> std::string {
    const auto found = std::ranges::find_if(options_.columns, fits);
    return found == options_.columns.end() ? "" : found->name;
  };
  const auto is_number = [](const ColumnReport& column) {
    return column.type == "int" || column.type == "double";
  };
  if (options_.x.empty())
    options_.x = first_of([](const ColumnReport& column) { return column.type == "timestamp"; });
  if (options_.x.empty()) options_.x = first_of(is_number);
  if (options_.y.empty()) {
    options_.y = {first_of([&](const ColumnReport& column) {
      return is_number(column) && column.name != options_.x && column.name != options_.series;
    })};
  }
  const auto place = [this](const std::string& name) -> std::size_t {
    if (const auto column = find_column(options_.columns, name)) return *column;
    std::string names;
    for (const ColumnReport& column : options_.columns)
      names += (names.empty() ? "" : ", ") + column.name;
    problem_ = Status(Code::parameter_invalid,
                      fmt::format("the {} \"{}\" has no column \"{}\" to draw: its columns are {}",
                                  options_.kind, options_.name, name, names));
    return 0;
  };
  ChartColumns columns;
  columns.x = place(options_.x);
  for (const std::string& name : options_.y) columns.y.push_back(place(name));
  if (!options_.series.empty()) columns.series = place(options_.series);
  chart_.emplace(std::move(columns), options_.columns, options_.rows_max);
}

void View::add(std::span<const Row> rows) {
  const bool alerts = options_.kind == "alerts";
  const std::lock_guard lock(mutex_);
  records_ += rows.size();
  for (const Row& row : rows) {
    MR_CHECK(row.cells.size() == options_.columns.size(),
             "a row of a view has a cell for each column");
    if (chart_) {
      chart_->add(row.cells);
      continue;
    }
    if (!alerts) {
      add_to_window(row);
      continue;
    }
    alerts_.push_front(row.cells);
    if (alerts_.size() > options_.rows_max) alerts_.pop_back();
  }
}

void View::add_to_window(const Row& row) {
  std::optional<Window> window;
  if (row.window_start)
    window = Window(*row.window_start, row.window_end.value_or(*row.window_start));
  if (window < window_) return;  // nullopt is less than every window
  if (window != window_) {
    rows_.clear();
    by_key_.clear();
    window_ = window;
  }
  insert(row.cells);
}

void View::insert(const Cells& cells) {
  Place place(rank_column_ ? cells[*rank_column_] : Cell(), came_++);
  if (key_columns_.empty()) {
    rows_.emplace(std::move(place), cells);
  } else {
    const auto [known, fresh] = by_key_.try_emplace(key_of(cells), rows_.end());
    if (!fresh) {
      place.second = known->second->first.second;  // it keeps its place among the unranked
      rows_.erase(known->second);
    }
    known->second = rows_.emplace(std::move(place), cells).first;
  }
  if (rows_.size() <= options_.rows_max) return;
  const auto last = std::prev(rows_.end());
  if (!key_columns_.empty()) by_key_.erase(key_of(last->second));
  rows_.erase(last);
}

View::Cells View::key_of(const Cells& cells) const {
  Cells key;
  key.reserve(key_columns_.size());
  for (const std::size_t column : key_columns_) key.push_back(cells[column]);
  return key;
}

ViewReport View::snapshot() const {
  ViewReport report;
  report.name = options_.name;
  report.kind = options_.kind;
  report.columns = options_.columns;
  report.x = options_.x;
  report.y = options_.y;
  report.series = options_.series;
  report.unit = options_.unit;
  const std::lock_guard lock(mutex_);
  report.records = records_;
  if (chart_) {
    report.lines = chart_->lines();
    report.rows = chart_->newest_rows();
    if (options_.kind == "number" && report.rows.size() > 1) report.rows.resize(1);
    return report;
  }
  report.rows.assign(alerts_.begin(), alerts_.end());
  for (const auto& [place, cells] : rows_) report.rows.push_back(cells);
  if (window_) {
    report.window_start = window_->first;
    report.window_end = window_->second;
  }
  return report;
}

}  // namespace millrace::detail
