// ChartLines: the newest points of a chart's lines.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "metrics/report.hpp"

namespace millrace::detail {

/// Columns of a row by their part in a chart.
struct ChartColumns {
  std::size_t x = 0;
  std::vector<std::size_t> y;
  std::optional<std::size_t> series;  ///< what tells lines apart; none: one line for each y
};

/// Keeps points by series and y column, in all at most `points_max`: the oldest of a line go first.
/// One thread.
///
/// Rows of a 33rd line and further ones are not kept, nor points whose x or y is no number.
/// Cost: O(1) a row that comes in order of x.
class ChartLines {
 public:
  static constexpr std::size_t kLinesMax = 32;

  ChartLines(ChartColumns columns, const std::vector<ColumnReport>& names, std::size_t points_max);

  void add(const std::vector<Cell>& cells);
  /// In the order in which they appeared.
  std::vector<LineReport> lines() const;
  /// The newest row of each series, in the same order.
  std::vector<std::vector<Cell>> newest_rows() const;

 private:
  struct Series {
    std::vector<Cell> newest;
    std::vector<std::size_t> lines;  // of lines_, one for each y column
  };
  Series* series_of(const std::vector<Cell>& cells);
  void insert(LineReport& line, LineReport::Point point) const;

  ChartColumns columns_;
  std::vector<std::string> y_names_;
  std::size_t points_max_;
  std::vector<LineReport> lines_;
  std::map<std::string, std::size_t> by_name_;
  std::vector<Series> series_;
};

}  // namespace millrace::detail
