// View: the rows that the page shows of a stream's end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_codec.hpp"
#include "base/geo_area.hpp"
#include "base/status.hpp"
#include "base/time.hpp"
#include "connector/line_points.hpp"
#include "metrics/report.hpp"

namespace millrace::detail {

/// A row for a view: a cell per column, and the window it belongs to, if any (event time,
/// microseconds).
struct Row {
  std::vector<Cell> cells;
  std::optional<Time> window_start = std::nullopt;
  std::optional<Time> window_end = std::nullopt;
};

/// What is known of the rows of a view besides their columns.
struct RowFacts {
  bool ranked = false;
  bool windowed = false;
  std::size_t keys =
      0;  ///< an aggregate's rows begin with so many columns of its key (behind rank)
};

struct ViewOptions {
  std::string name = {};
  std::string kind = "table";  ///< see ViewReport; empty: by the rows
  std::vector<ColumnReport> columns = {};
  /// Columns that tell rows of one window apart: a row whose cells there equal an earlier row's
  /// replaces it, as a window that fires again for a late record needs. Empty: the column "rank"
  /// for a "top", else none.
  std::vector<std::string> key_columns = {};
  std::size_t rows_max = 200;  ///< shown at most; memory is bounded by it
  RowFacts facts = {};
  // Of charts, by the name of their column; see ViewSettings. The view fills what is open.
  std::string x = {};
  std::vector<std::string> y = {};
  std::string series = {};
  std::string measure = {};
  std::string unit = {};
  Duration keep{0};
  std::vector<GeoArea> areas = {};
  bool newest_last = false;  ///< a row that comes again goes behind the others, and the first ones
                             ///< make room; by the kind
};

/// Holds the rows of the latest window ("top", "table", "grid"), the newest rows ("alerts"), the
/// newest row of each thing ("map"), or the points of lines and the newest row of each ("line",
/// "number"). Any thread.
///
/// A row of a later window (by start, then end) clears the rows of earlier ones; rows of an earlier
/// window than the one shown are counted and not shown. Rows without window are before every
/// window. Rows with a column "rank" are sorted by it; the others stand as they came, alerts newest
/// first. Beyond rows_max, alerts and a "map" let the oldest go, a "top" or "table" the worst
/// ranked or, without rank, the last come.
///
/// Cost: one lock a batch; O(log rows_max) a row when there are key columns, else O(1).
class View {
 public:
  explicit View(ViewOptions options);

  const std::string& name() const { return options_.name; }
  /// 2010 when what was asked for cannot be shown; then it is a plain table, not to be run.
  const Status& problem() const { return problem_; }
  /// Takes one batch of rows; each row has a cell per column.
  void add(std::span<const Row> rows);
  /// A consistent copy, rows in the order to show.
  ViewReport snapshot() const;
  /// What it shows, for restore() of a view of the same columns, perhaps in another process.
  std::string image() const;
  /// Shows what another one showed, before the first row. False: these bytes are of other columns,
  /// or damaged; then it is empty.
  bool restore(std::string_view image);

 private:
  using Cells = std::vector<Cell>;
  using Place = std::pair<Cell, std::uint64_t>;  // rank, if any; then the order in which rows came
  using Rows = std::map<Place, Cells>;
  using Window = std::pair<Time, Time>;

  void add_to_window(const Row& row);
  void add_point(const Row& row);
  void write_points(std::string& to) const;
  bool read_all(std::string_view image);
  bool read_points(BytesCursor& from);
  bool read_cells(BytesCursor& from, Cells& cells) const;
  void forget();
  std::optional<double> x_of(const Row& row);
  std::string line_name(const Row& row, std::size_t y) const;
  void insert(const Cells& cells);
  Cells key_of(const Cells& cells) const;

  ViewOptions options_;
  Status problem_;
  std::vector<std::size_t> key_columns_;
  std::optional<std::size_t> rank_column_;
  std::optional<std::size_t> x_column_;
  std::vector<std::size_t> y_columns_;
  std::optional<std::size_t> series_column_;

  mutable std::mutex mutex_;  // guards all below
  std::uint64_t records_ = 0;
  std::deque<Cells> alerts_;      // newest first
  std::optional<Window> window_;  // of rows_
  Rows rows_;
  std::map<Cells, Rows::iterator> by_key_;  // of rows_, when there are key columns
  std::uint64_t came_ = 0;
  bool windowed_points_ = false;         // their x is the end of their window
  std::optional<LinePoints> points_;     // of "line" and "number"
  std::map<std::string, Cells> newest_;  // row by series, of the same
};

}  // namespace millrace::detail
