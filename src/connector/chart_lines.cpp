// Points are kept sorted; a line that is full forgets its oldest eighth at once.
#include "connector/chart_lines.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <variant>

namespace millrace::detail {
namespace {

/// A number as a chart places it; NaN for what is none.
double place_of(const Cell& cell) {
  return std::visit(
      [](const auto& value) -> double {
        using V = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<V, Timestamp>) {
          return value.micros == kTimeMin ? NAN : static_cast<double>(value.micros) / 1000.0;
        } else if constexpr (std::is_arithmetic_v<V>) {
          return static_cast<double>(value);
        } else {
          return NAN;
        }
      },
      cell);
}

std::string text_of(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&cell)) return std::to_string(*number);
  if (const auto* flag = std::get_if<bool>(&cell)) return *flag ? "true" : "false";
  const double place = place_of(cell);
  return std::isnan(place) ? "" : std::to_string(place);
}

}  // namespace

ChartLines::ChartLines(ChartColumns columns, const std::vector<ColumnReport>& names,
                       std::size_t points_max)
    : columns_(std::move(columns)), points_max_(points_max) {
  for (const std::size_t y : columns_.y) y_names_.push_back(names[y].name);
}

ChartLines::Series* ChartLines::series_of(const std::vector<Cell>& cells) {
  const std::string name = columns_.series ? text_of(cells[*columns_.series]) : "";
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) return &series_[known->second];
  if (lines_.size() + columns_.y.size() > kLinesMax) return nullptr;
  by_name_.emplace(name, series_.size());
  Series& series = series_.emplace_back();
  for (const std::string& y : y_names_) {
    series.lines.push_back(lines_.size());
    const bool both = columns_.series && y_names_.size() > 1;
    lines_.push_back({both ? name + " \u00b7 " + y : columns_.series ? name : y, {}});
  }
  return &series;
}

void ChartLines::add(const std::vector<Cell>& cells) {
  Series* series = series_of(cells);
  if (!series) return;
  series->newest = cells;
  const double x = place_of(cells[columns_.x]);
  for (std::size_t at = 0; at < columns_.y.size(); ++at) {
    const double y = place_of(cells[columns_.y[at]]);
    if (!std::isnan(x) && !std::isnan(y)) insert(lines_[series->lines[at]], {x, y});
  }
}

void ChartLines::insert(LineReport& line, LineReport::Point point) const {
  auto& points = line.points;
  const auto by_x = [](const LineReport::Point& a, const LineReport::Point& b) {
    return a.x < b.x;
  };
  points.insert(std::upper_bound(points.begin(), points.end(), point, by_x), point);
  const std::size_t most = std::max<std::size_t>(2, points_max_ / lines_.size());
  if (points.size() <= most) return;
  const std::size_t kept = most - most / 8;
  points.erase(points.begin(), points.end() - static_cast<std::ptrdiff_t>(kept));
}

std::vector<LineReport> ChartLines::lines() const { return lines_; }

std::vector<std::vector<Cell>> ChartLines::newest_rows() const {
  std::vector<std::vector<Cell>> rows;
  for (const Series& series : series_) rows.push_back(series.newest);
  return rows;
}

}  // namespace millrace::detail
