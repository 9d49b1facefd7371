// View: a small sorted table, replaced window by window.
#include "connector/view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/check.hpp"
#include "connector/view_layout.hpp"

namespace millrace::detail {
namespace {

std::optional<std::size_t> find_column(const std::vector<ColumnReport>& columns,
                                       const std::string& name) {
  const auto found = std::ranges::find(columns, name, &ColumnReport::name);
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

/// Times as milliseconds; nothing for what is no number.
std::optional<double> number_of(const Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&cell)) return *real;
  if (const auto* time = std::get_if<Timestamp>(&cell))
    return static_cast<double>(time->micros) / 1e3;
  return std::nullopt;
}

std::string text_of(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return std::to_string(*integer);
  if (const auto* flag = std::get_if<bool>(&cell)) return *flag ? "true" : "false";
  if (const auto* time = std::get_if<Timestamp>(&cell)) return format_iso_time(time->micros);
  if (const auto* real = std::get_if<double>(&cell)) return fmt::format("{}", *real);
  return "";
}

bool is_chart(const ViewOptions& options) {
  return options.kind == "line" || options.kind == "number";
}

}  // namespace

View::View(ViewOptions options) : options_(std::move(options)), problem_(lay_out(options_)) {
  if (is_chart(options_)) {
    const double keep_ms = static_cast<double>(options_.keep.count()) / 1e3;
    points_.emplace(options_.rows_max, keep_ms);
  }
  if (!options_.x.empty()) x_column_ = find_column(options_.columns, options_.x);
  if (!options_.series.empty()) series_column_ = find_column(options_.columns, options_.series);
  for (const std::string& name : options_.y) {
    const auto column = find_column(options_.columns, name);
    MR_CHECK(column.has_value(), "a y column of a view is not among its columns");
    y_columns_.push_back(*column);
  }
  rank_column_ = find_column(options_.columns, "rank");
  for (const std::string& name : options_.key_columns) {
    const auto column = find_column(options_.columns, name);
    MR_CHECK(column.has_value(), "a key column of a view is not among its columns");
    key_columns_.push_back(*column);
  }
  if (options_.kind == "top" && key_columns_.empty() && rank_column_)
    key_columns_.push_back(*rank_column_);
}

void View::add(std::span<const Row> rows) {
  const bool alerts = options_.kind == "alerts";
  const bool chart = is_chart(options_);
  const std::lock_guard lock(mutex_);
  for (const Row& row : rows) {
    MR_CHECK(row.cells.size() == options_.columns.size(),
             "a row of a view has a cell for each column");
    ++records_;
    if (chart) {
      add_point(row);
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

/// The column x, or else the window's end, or else the number of the record.
std::optional<double> View::x_of(const Row& row) {
  if (x_column_) return number_of(row.cells[*x_column_]);
  const auto& end = row.window_end ? row.window_end : row.window_start;
  windowed_points_ = end.has_value();
  return end ? static_cast<double>(*end) / 1e3 : static_cast<double>(records_);
}

std::string View::line_name(const Row& row, std::size_t y) const {
  if (!series_column_) return options_.y[y];
  const std::string series = text_of(row.cells[*series_column_]);
  return options_.y.size() == 1 ? series : series + " · " + options_.y[y];
}

void View::add_point(const Row& row) {
  const std::string series = series_column_ ? text_of(row.cells[*series_column_]) : "";
  const auto known = newest_.find(series);
  if (known != newest_.end()) {
    known->second = row.cells;
  } else if (newest_.size() < LinePoints::kLinesMax) {
    newest_.emplace(series, row.cells);
  }
  const auto x = x_of(row);
  for (std::size_t y = 0; x && y < y_columns_.size(); ++y) {
    if (const auto value = number_of(row.cells[y_columns_[y]]))
      points_->add(line_name(row, y), *x, *value);
  }
}

void View::insert(const Cells& cells) {
  Place place(rank_column_ ? cells[*rank_column_] : Cell(), came_++);
  if (key_columns_.empty()) {
    rows_.emplace(std::move(place), cells);
  } else {
    const auto [known, fresh] = by_key_.try_emplace(key_of(cells), rows_.end());
    if (!fresh) {
      // It keeps its place among the unranked.
      if (!options_.newest_last) place.second = known->second->first.second;
      rows_.erase(known->second);
    }
    known->second = rows_.emplace(std::move(place), cells).first;
  }
  if (rows_.size() <= options_.rows_max) return;
  const auto goes = options_.newest_last ? rows_.begin() : std::prev(rows_.end());
  if (!key_columns_.empty()) by_key_.erase(key_of(goes->second));
  rows_.erase(goes);
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
  report.measure = options_.measure;
  report.unit = options_.unit;
  for (const GeoArea& area : options_.areas) report.areas.push_back(area.outline());
  const std::lock_guard lock(mutex_);
  report.records = records_;
  if (is_chart(options_)) {
    report.lines = points_->lines();
    report.x_is_time =
        x_column_ ? options_.columns[*x_column_].type == "timestamp" : windowed_points_;
    for (const auto& [series, cells] : newest_) report.rows.push_back(cells);
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
