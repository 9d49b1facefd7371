// Buckets of x with their least and greatest y.
#include "connector/line_points.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace millrace::detail {

void LinePoints::add(const std::string& line, double x, double y) {
  if (!std::isfinite(x) || !std::isfinite(y)) return;
  const auto known = lines_.find(line);
  if (known == lines_.end() && lines_.size() == kLinesMax) return;
  if (keep_ > 0 && greatest_x_ && x < *greatest_x_ - keep_) return;
  Buckets& buckets = known == lines_.end() ? lines_[line] : known->second;
  const LineReport::Point point{x, y};
  if (width_ == 0) {
    const auto [place, fresh] = buckets.insert_or_assign(x, Bucket{point, point});
    if (fresh) ++points_;
  } else {
    put(buckets, {point, point});
  }
  if (!greatest_x_ || x > *greatest_x_) {
    greatest_x_ = x;
    if (keep_ > 0) drop_old();
  }
  if (points_ > points_max_) thin();
}

double LinePoints::start_of(double x) const {
  return width_ == 0 ? x : std::floor(x / width_) * width_;
}

/// Joins `bucket` with what lies there; its y bounds win where they are wider.
void LinePoints::put(Buckets& buckets, const Bucket& bucket) {
  const auto [place, fresh] = buckets.try_emplace(start_of(bucket.least.x), bucket);
  Bucket& held = place->second;
  if (fresh) {
    points_ += held.points();
    return;
  }
  points_ -= held.points();
  if (bucket.least.y < held.least.y) held.least = bucket.least;
  if (bucket.greatest.y > held.greatest.y) held.greatest = bucket.greatest;
  points_ += held.points();
}

void LinePoints::drop_old() {
  const double oldest = *greatest_x_ - keep_;
  for (auto& [name, buckets] : lines_) {
    while (!buckets.empty() && buckets.begin()->first + width_ < oldest) {
      points_ -= buckets.begin()->second.points();
      buckets.erase(buckets.begin());
    }
  }
}

/// Down to half, so that it is not due again at once. A single x for each line cannot be thinned.
void LinePoints::thin() {
  for (int turn = 0; points_ > points_max_ / 2 && turn < 64; ++turn) widen();
}

void LinePoints::widen() {
  if (width_ == 0) {
    double least = std::numeric_limits<double>::infinity();
    for (const auto& [name, buckets] : lines_)
      if (!buckets.empty()) least = std::min(least, buckets.begin()->first);
    const double span = *greatest_x_ - least;
    if (span <= 0) return;
    // A power of two, so that each later width holds whole buckets of the one before.
    const double wanted =
        span * static_cast<double>(lines_.size()) * 4 / static_cast<double>(points_max_);
    width_ = std::exp2(std::floor(std::log2(wanted)));
  } else {
    width_ *= 2;
  }
  points_ = 0;
  for (auto& [name, buckets] : lines_) {
    Buckets wide;
    for (const auto& [start, bucket] : buckets) {
      // Both ends lie in one bucket of the old width, and so of the new one; from single points
      // each goes its own way.
      put(wide, bucket);
    }
    buckets = std::move(wide);
  }
}

std::vector<LineReport> LinePoints::lines() const {
  std::vector<LineReport> lines;
  for (const auto& [name, buckets] : lines_) {
    LineReport& line = lines.emplace_back();
    line.name = name;
    line.points.reserve(buckets.size() * 2);
    for (const auto& [start, bucket] : buckets) {
      const bool least_first = bucket.least.x <= bucket.greatest.x;
      line.points.push_back(least_first ? bucket.least : bucket.greatest);
      if (bucket.points() == 2) line.points.push_back(least_first ? bucket.greatest : bucket.least);
    }
  }
  return lines;
}

}  // namespace millrace::detail
