// Distances on a sphere, and whether a place lies in a circle or a polygon.
#include "base/geo_area.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace millrace {
namespace {

constexpr double kRadians = std::numbers::pi / 180;

/// A longitude, or a difference of two, in [-180, 180].
double wrapped(double degrees) { return std::remainder(degrees, 360); }

std::int64_t cell_of(double degrees, double per_degree) {
  const double cell = std::floor(per_degree * degrees + 1e-9);
  const bool fits = std::abs(cell) < 9e18;  // not of NaN
  return fits ? static_cast<std::int64_t>(cell) : std::numeric_limits<std::int64_t>::min();
}

bool is_place(GeoPoint point) {
  return std::abs(point.latitude) <= 90 && std::isfinite(point.longitude);
}

/// Metres to the nearest place of an edge. Where it lies is found in the plane that touches the
/// earth at `place`: the nearer the edge, the less that matters.
double to_edge_m(GeoPoint place, GeoPoint a, GeoPoint b) {
  const double narrow = std::cos(place.latitude * kRadians);
  const double ax = wrapped(a.longitude - place.longitude) * narrow;
  const double ay = a.latitude - place.latitude;
  const double along_x = wrapped(b.longitude - a.longitude) * narrow;
  const double along_y = b.latitude - a.latitude;
  const double length = along_x * along_x + along_y * along_y;
  const double share =
      length > 0 ? std::clamp(-(ax * along_x + ay * along_y) / length, 0.0, 1.0) : 0.0;
  const GeoPoint nearest{a.latitude + share * along_y,
                         a.longitude + share * wrapped(b.longitude - a.longitude)};
  return distance_m(place, nearest);
}

}  // namespace

double distance_m(GeoPoint from, GeoPoint to) {
  const double north = std::sin((to.latitude - from.latitude) * kRadians / 2);
  const double east = std::sin((to.longitude - from.longitude) * kRadians / 2);
  const double half = north * north + std::cos(from.latitude * kRadians) *
                                          std::cos(to.latitude * kRadians) * east * east;
  // Rounding may lift places on opposite sides over 1; NaN stays what it is.
  return 2 * kEarthRadiusM * std::asin(half > 1 ? 1.0 : std::sqrt(half));
}

double bearing(GeoPoint from, GeoPoint to) {
  const double east = (to.longitude - from.longitude) * kRadians;
  const double from_north = from.latitude * kRadians;
  const double to_north = to.latitude * kRadians;
  const double y = std::sin(east) * std::cos(to_north);
  const double x = std::cos(from_north) * std::sin(to_north) -
                   std::sin(from_north) * std::cos(to_north) * std::cos(east);
  const double degrees = std::atan2(y, x) / kRadians;
  const double turned = degrees < 0 ? degrees + 360 : degrees;
  return turned >= 360 ? 0.0 : turned;  // a hair west of north
}

std::tuple<std::int64_t, std::int64_t> grid_cell(GeoPoint place, double per_degree) {
  return {cell_of(place.latitude, per_degree), cell_of(place.longitude, per_degree)};
}

double GeoArea::degrees_east(double longitude) const {
  return wrapped(longitude - corners_.front().longitude);
}

bool GeoArea::contains(GeoPoint place) const {
  if (is_circle()) return distance_m(corners_.front(), place) <= radius_m_;
  // A line to the east crosses the edges of a polygon an odd number of times from inside.
  const double x = degrees_east(place.longitude);
  const double y = place.latitude;
  bool inside = false;
  for (std::size_t at = 0, before = corners_.size() - 1; at < corners_.size(); before = at++) {
    const GeoPoint& a = corners_[at];
    const GeoPoint& b = corners_[before];
    if ((a.latitude > y) == (b.latitude > y)) continue;
    const double ax = degrees_east(a.longitude);
    const double bx = degrees_east(b.longitude);
    const double crosses = ax + (bx - ax) * (y - a.latitude) / (b.latitude - a.latitude);
    if (x < crosses) inside = !inside;
  }
  return inside;
}

double GeoArea::from_border_m(GeoPoint place) const {
  if (is_circle()) return distance_m(corners_.front(), place) - radius_m_;
  double least = distance_m(place, corners_.front());
  for (std::size_t at = 0, before = corners_.size() - 1; at < corners_.size(); before = at++) {
    least = std::min(least, to_edge_m(place, corners_[before], corners_[at]));
  }
  return contains(place) ? -least : least;
}

Status GeoArea::validate() const {
  const auto wrong = [](const char* what) { return Status(Code::parameter_invalid, what); };
  if (!std::all_of(corners_.begin(), corners_.end(), is_place))
    return wrong("an area has a latitude outside of -90 to 90, or what is no number: give degrees");
  if (is_circle()) {
    if (std::isfinite(radius_m_) && radius_m_ > 0) return {};
    return wrong("a circle has a radius of 0 or without end: give metres above 0");
  }
  if (corners_.size() < 3) return wrong("a polygon has fewer than three corners: give at least 3");
  double west = 0;
  double east = 0;
  for (const GeoPoint& corner : corners_) {
    west = std::min(west, degrees_east(corner.longitude));
    east = std::max(east, degrees_east(corner.longitude));
  }
  if (east - west < 180) return {};
  return wrong("a polygon is 180 degrees of longitude wide or more: cut it into narrower ones");
}

std::vector<GeoPoint> GeoArea::outline() const {
  constexpr int kCorners = 72;
  std::vector<GeoPoint> outline;
  if (!validate()) return outline;
  const GeoPoint first = corners_.front();
  for (const GeoPoint& corner : corners_) {
    outline.push_back({corner.latitude, first.longitude + degrees_east(corner.longitude)});
  }
  if (!is_circle()) return outline;
  outline.clear();
  const double north = std::sin(first.latitude * kRadians);
  const double flat = std::cos(first.latitude * kRadians);
  const double angle = std::min(radius_m_ / kEarthRadiusM, std::numbers::pi);
  for (int at = 0; at < kCorners; ++at) {
    const double turn = 2 * std::numbers::pi * at / kCorners;
    const double sine = north * std::cos(angle) + flat * std::sin(angle) * std::cos(turn);
    const double east =
        std::atan2(std::sin(turn) * std::sin(angle) * flat, std::cos(angle) - north * sine);
    outline.push_back(
        {std::asin(std::clamp(sine, -1.0, 1.0)) / kRadians, first.longitude + east / kRadians});
  }
  return outline;
}

GeoArea circle(GeoPoint centre, double radius_m) {
  GeoArea area;
  area.corners_ = {centre};
  area.radius_m_ = radius_m > 0 ? radius_m : 0;
  return area;
}

GeoArea polygon(std::vector<GeoPoint> corners) {
  GeoArea area;
  area.corners_ = std::move(corners);
  return area;
}

}  // namespace millrace
