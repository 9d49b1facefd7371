// read_zone_file: the system's data of a time zone, as the TZif bytes that the IANA database is
// compiled to.
#pragma once

#include <string>
#include <string_view>

#include "base/status.hpp"

namespace millrace::detail {

/// The file of the zone `name`, such as "Europe/Berlin", of /usr/share/zoneinfo; `folder` is
/// another place, for tests. The variable TZ has no say. 2005: the name is none, the database has
/// no such zone (with the nearest that it has), or it is not installed.
Result<std::string> read_zone_file(std::string_view name, const std::string& folder = "");

}  // namespace millrace::detail
