// Places on the earth: distance, bearing, cells of a grid, and areas that hold them or not.
#pragma once

#include <cstdint>
#include <tuple>
#include <vector>

#include "base/status.hpp"

namespace millrace {

/// A place in degrees (WGS 84): north and east are positive. Latitudes lie in [-90, 90]; of
/// longitudes, 190 and -170 are the same.
struct GeoPoint {
  double latitude = 0;
  double longitude = 0;
};

/// The mean radius of the earth, which distances are computed with.
inline constexpr double kEarthRadiusM = 6'371'008.8;

/// Metres between two places along the surface (haversine, on a sphere of the mean radius). The
/// earth is flattened: the length on the WGS 84 ellipsoid differs by up to 0.6 %. NaN when a
/// coordinate is. Cost: about 0.1 us.
double distance_m(GeoPoint from, GeoPoint to);

/// The direction in which the shortest way from one place to another begins, in degrees clockwise
/// from north, [0, 360). Of equal places 0.
double bearing(GeoPoint from, GeoPoint to);

/// The cell of a grid in which a place lies: (latitude, longitude) in units of 1 / per_degree
/// degrees, rounded down; a key, too. One hundredth of a degree is 1.1 km from south to north. A
/// billionth of a cell more belongs to it, so that 39.29 * 100 is 3929. What is no number, or
/// beyond 64 bits, gives the least integer.
std::tuple<std::int64_t, std::int64_t> grid_cell(GeoPoint place, double per_degree = 100);

/// A circle or a polygon. Made by circle() and polygon(). Any thread may read it.
class GeoArea {
 public:
  /// A place with a coordinate that is no number is in none.
  bool contains(GeoPoint place) const;
  /// Metres from its border: negative inside, NaN when a coordinate is. Cost of both: O(corners).
  double from_border_m(GeoPoint place) const;
  /// 2010 for a radius that is not above 0, for fewer than three corners, for corners that no place
  /// has, and for a polygon of 180 degrees of longitude or more.
  Status validate() const;
  /// Its border as the corners of a polygon, the last joined with the first; of a circle 72 of
  /// them. Longitudes go on beyond 180 degrees where it crosses them. Empty where validate()
  /// refuses.
  std::vector<GeoPoint> outline() const;

 private:
  friend GeoArea circle(GeoPoint centre, double radius_m);
  friend GeoArea polygon(std::vector<GeoPoint> corners);

  bool is_circle() const { return radius_m_ >= 0; }
  double degrees_east(double longitude) const;

  std::vector<GeoPoint> corners_;  ///< of a circle its centre
  double radius_m_ = -1;           ///< of a polygon -1
};

/// All places at most `radius_m` metres away: the border belongs to it.
GeoArea circle(GeoPoint centre, double radius_m);

/// What lies between corners, in their order; the last is joined with the first. Edges are straight
/// in latitude and longitude, as maps of the web show them. They may cross the 180th meridian, but
/// no pole lies inside. Where edges cross each other, what they go around twice is outside. A place
/// on an edge may be either.
GeoArea polygon(std::vector<GeoPoint> corners);

}  // namespace millrace
