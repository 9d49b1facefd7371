// LinePoints: the points of a chart's lines, thinned out as they become many, in bounded memory.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "metrics/report.hpp"

namespace millrace::detail {

/// Keeps each line's points by x. While they are few, every one is kept, and one with the x of an
/// earlier replaces it. When they would be more than `points_max`, x is cut into buckets that keep
/// their least and their greatest y, so that no peak is lost; buckets become twice as wide whenever
/// that is still too many. One thread at a time.
///
/// Cost: O(log points) a point; thinning out is paid for by the points that made it due. Memory:
/// points_max points and kLinesMax names.
class LinePoints {
 public:
  /// Further lines are left out.
  static constexpr std::size_t kLinesMax = 32;

  /// `keep`: points whose x lies further behind the greatest x than this are dropped; 0: none are.
  LinePoints(std::size_t points_max, double keep) : points_max_(points_max), keep_(keep) {}

  /// A point that is not finite is left out.
  void add(const std::string& line, double x, double y);
  /// Lines by name, points by x.
  std::vector<LineReport> lines() const;

 private:
  struct Bucket {
    LineReport::Point least;
    LineReport::Point greatest;
    std::size_t points() const { return least.x == greatest.x && least.y == greatest.y ? 1 : 2; }
  };
  using Buckets = std::map<double, Bucket>;

  double start_of(double x) const;
  void put(Buckets& buckets, const Bucket& bucket);
  void drop_old();
  void thin();
  void widen();

  std::size_t points_max_;
  double keep_;
  double width_ = 0;  ///< of a bucket; 0: one for each x
  std::size_t points_ = 0;
  std::optional<double> greatest_x_;
  std::map<std::string, Buckets> lines_;
};

}  // namespace millrace::detail
