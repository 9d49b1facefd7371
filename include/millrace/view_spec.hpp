// ViewSpec: what a view of the page shows and how: to(view("Trending")).
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "base/geo_area.hpp"
#include "base/time.hpp"

namespace millrace {

enum class ViewKind {
  automatic,  ///< top for ranked rows; table for the rows of windows and for running aggregates,
              ///< whose keys keep a row each; alerts otherwise
  top,        ///< ranked rows of the latest window
  table,      ///< rows of the latest window; without windows, the latest rows
  alerts,     ///< the newest rows first
  line,       ///< y over x, a line for each y column and each value of `series`
  number,     ///< the latest y, large, with its course
  grid,       ///< cells at x and y, coloured by `measure`
  map,        ///< what is where: the newest place of each value of `series`
};

/// Names of columns: `.y = "price"`, `.y = {"low", "high"}`.
class ColumnNames {
 public:
  ColumnNames() = default;
  ColumnNames(const char* name) : names_{name} {}             // NOLINT: meant to be implicit
  ColumnNames(std::string name) : names_{std::move(name)} {}  // NOLINT: meant to be implicit
  ColumnNames(std::initializer_list<const char*> names) : names_(names.begin(), names.end()) {}
  const std::vector<std::string>& all() const { return names_; }

 private:
  std::vector<std::string> names_;
};

/// How a view is drawn. Columns are named as the page names them: the members of the records, the
/// keys and the value of an aggregate. A name that does not exist, or a y that is no number, is
/// refused before anything runs (2010).
struct ViewSettings {
  ViewKind kind = ViewKind::automatic;
  /// Rows kept, or points of a line or number. 1 to 10,000; 0: 200 rows, 2,000 points, 10,000
  /// cells, 1,000 places. More points are thinned out so that peaks stay; of more places those that
  /// were not heard of for longest go.
  std::size_t rows_max = 0;
  /// Line, number: what runs to the right. Empty: the first timestamp; without one the window's
  /// end, or else the number of the record. Grid: the column of the cell, required. Map: the
  /// longitude, required.
  std::string x = {};
  /// Line, number: the numbers drawn. Empty: the first number that is not x, rank or series. Grid:
  /// the row of the cell, required. Map: the latitude, required.
  ColumnNames y = {};
  /// Line: a line for each value, at most 32. Empty: the key of an aggregate, else none. Map: what
  /// is there, required: a plane, a car.
  std::string series = {};
  /// Grid: the number that colours a cell, required. Map: the number that colours a place.
  std::string measure = {};
  /// Shown behind numbers: "ms", "USD".
  std::string unit = {};
  /// Line, number over time: how far back points are kept. 0: all the time, thinned out.
  Duration keep{0};
  /// Map: drawn below what moves: circle({49.01, 2.55}, 30'000). Refused where it is none (2010).
  std::vector<GeoArea> areas = {};
};

/// A live view of the page.
struct ViewSpec {
  std::string name;
  ViewSettings settings = {};
};
inline ViewSpec view(std::string name, ViewSettings settings = {}) {
  return {std::move(name), std::move(settings)};
}

}  // namespace millrace
