// How figures of a report are said in sentences.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/report.hpp"

namespace millrace::detail {

/// "58 %"; never "100 %" or "0 %" of what is not all or nothing.
std::string percent(double share);
/// "1,234,567"
std::string counted(std::uint64_t count);
/// "1 record", "2,000 records"
std::string records_of(std::uint64_t count);
/// "1 key", "2,000 keys"
std::string keys_of(std::uint64_t count);
/// "340 ms", "12 s", "35 min", "6.5 h", "3 days"
std::string lasting(double us);
/// "2015-09-12T01:00:00Z", "the end of input", "nowhere yet"
std::string moment(std::optional<Time> time);
/// "\"a\"", "\"a\" and \"b\"", "\"a\", \"b\" and 3 more"
std::string names_of(const std::vector<std::string>& names);

/// What a gauge of the component says, at least 0; 0: it has none of that name.
std::uint64_t gauge_of(const ComponentReport& component, std::string_view name);
/// Null: there is no such component.
const ComponentReport* find_component(const Report& report, std::string_view name);

/// The partition whose watermark is least, idle ones passed over, while another is ahead of it by a
/// second or has ended.
struct HeldTime {
  std::string partition;
  std::string component;
  std::optional<Time> at;        ///< empty: nothing came from it yet
  std::optional<Time> furthest;  ///< of its siblings
};
std::optional<HeldTime> held_time(const Report& report);

}  // namespace millrace::detail
