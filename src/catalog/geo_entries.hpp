// The bolts of places: distance, bearing, grid_cell, inside and geofence.
#pragma once

#include "catalog/entry.hpp"

namespace millrace::detail {

void add_geo_entries(Entries& entries);

}  // namespace millrace::detail
