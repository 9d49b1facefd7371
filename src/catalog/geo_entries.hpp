// The bolts of places: distance, bearing, grid_cell, inside and geofence; and areas by name.
#pragma once

#include <optional>
#include <vector>

#include "base/geo_area.hpp"
#include "catalog/entry.hpp"

namespace millrace::detail {

/// `circle` and `polygon`.
std::vector<ParamInfo> area_params();
/// What one of them says; nullopt: a mistake, which was noted.
std::optional<GeoArea> area_of(const Making& making);

void add_geo_entries(Entries& entries);

}  // namespace millrace::detail
