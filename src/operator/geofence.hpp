// Geofences: which keys enter and leave an area, with hysteresis at its border.
#pragma once

#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/geo_area.hpp"
#include "operator/keyed_step.hpp"
#include "operator/number_or_nan.hpp"
#include "operator/row_shape.hpp"

namespace millrace {

/// An area whose border is watched.
struct Geofence {
  GeoArea area;
  /// Who is inside has left only when farther than so many metres from the border, so that one who
  /// waits at it, or whose position is not exact, does not come and go all the time. At least 0.
  double margin_m = 0;
};

/// That a key entered an area or left it.
template <class K>
struct Crossing {
  K key{};
  bool entered = false;
  GeoPoint at;               ///< the first position on the new side
  double from_border_m = 0;  ///< of that position: negative inside
  Timestamp time{kTimeMin};
};

/// On which side of a fence something is: outside before its first position.
class FenceSide {
 public:
  /// Whether it has changed sides.
  bool update(double from_border_m, double margin_m) {
    const bool changed = inside_ ? from_border_m > margin_m : from_border_m <= 0;
    if (changed) inside_ = !inside_;
    return changed;
  }
  bool inside() const { return inside_; }

  // Internal: how an image holds it.
  static std::string_view stored_shape() { return "fence_side"; }
  void store(std::string& out) const { detail::put_number(out, inside_); }
  bool load(detail::BytesCursor& in) {
    inside_ = in.number<std::uint8_t>() != 0;
    return in.ok();
  }

 private:
  bool inside_ = false;
};

namespace detail {

/// 2010 unless the area is one and the margin is a number of at least 0.
inline Status validate(const Geofence& fence) {
  if (const Status area = fence.area.validate(); !area) return area;
  if (std::isfinite(fence.margin_m) && fence.margin_m >= 0) return {};
  return {Code::parameter_invalid,
          "a geofence's margin is negative or without end: give metres of at least 0"};
}

/// Calls emit(Crossing<K>) for records that change sides; `Latitude` and `Longitude`: const T& -> a
/// number or an optional one. Positions that are not there are passed over.
template <class T, class K, class Latitude, class Longitude>
struct FenceStep {
  Geofence fence;
  Latitude latitude;
  Longitude longitude;

  template <class Emit>
  void operator()(FenceSide& side, const K& key, const T& record, Time time, Emit&& emit) {
    const GeoPoint at{number_or_nan(std::invoke(latitude, record)),
                      number_or_nan(std::invoke(longitude, record))};
    const double from_border = fence.area.from_border_m(at);
    if (std::isnan(from_border) || !side.update(from_border, fence.margin_m)) return;
    emit(Crossing<K>{key, side.inside(), at, from_border, Timestamp{time}});
  }
};

template <class K>
struct RowShape<Crossing<K>> {
  static std::vector<ColumnInfo> columns(const RowNames& names) {
    std::vector<ColumnInfo> columns = {{"time", ColumnType::timestamp}};
    append_part_columns<K>(columns, names.keys);
    columns.push_back({"event", ColumnType::text});
    for (const char* number : {"latitude", "longitude", "from_border_m"}) {
      columns.push_back({number, ColumnType::real});
    }
    return columns;
  }
  template <class Visit>
  static void visit_cells(const Crossing<K>& crossing, const Visit& visit) {
    visit(crossing.time);
    visit_part(crossing.key, visit);
    visit(std::string_view(crossing.entered ? "entered" : "left"));
    visit(crossing.at.latitude);
    visit(crossing.at.longitude);
    visit(crossing.from_border_m);
  }
  static std::optional<std::pair<Time, Time>> window(const Crossing<K>&) { return std::nullopt; }
};

}  // namespace detail
}  // namespace millrace
