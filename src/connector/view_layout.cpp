// What a view shows where the user did not say.
#include "connector/view_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace millrace::detail {
namespace {

constexpr std::size_t kRowsMax = 10'000;
constexpr std::size_t kPlacesMax = 1'000;

const ColumnReport* find(const ViewOptions& options, const std::string& name) {
  const auto found = std::ranges::find(options.columns, name, &ColumnReport::name);
  return found == options.columns.end() ? nullptr : &*found;
}

bool is_number(const ColumnReport& column) {
  return column.type == "int" || column.type == "double";
}

Status refused(std::string why) { return {Code::parameter_invalid, std::move(why)}; }

/// The columns there are, for a sentence.
std::string offered(const ViewOptions& options, bool numbers) {
  std::string names;
  for (const ColumnReport& column : options.columns) {
    if (numbers && !is_number(column)) continue;
    names += names.empty() ? column.name : ", " + column.name;
  }
  return names.empty() ? "none" : names;
}

Status check_column(const ViewOptions& options, const std::string& part, const std::string& name,
                    bool number) {
  const ColumnReport* column = find(options, name);
  if (!column)
    return refused(fmt::format("there is no column \"{}\" for {}; there are: {}", name, part,
                               offered(options, number)));
  if (number && !is_number(*column))
    return refused(fmt::format("{} must be a number, but \"{}\" is of type {}; numbers are: {}",
                               part, name, column->type, offered(options, true)));
  return {};
}

Status check_all(const ViewOptions& options) {
  const bool placed = options.kind == "grid" || options.kind == "map";
  if (!options.x.empty()) {
    if (Status status = check_column(options, "x", options.x, placed); !status) return status;
    if (find(options, options.x)->type == "string" || find(options, options.x)->type == "bool")
      return refused(fmt::format("x must be a number or a time, but \"{}\" is of type {}",
                                 options.x, find(options, options.x)->type));
  }
  for (const std::string& y : options.y)
    if (Status status = check_column(options, "y", y, true); !status) return status;
  if (!options.series.empty())
    if (Status status = check_column(options, "series", options.series, false); !status)
      return status;
  if (!options.measure.empty())
    if (Status status = check_column(options, "measure", options.measure, true); !status)
      return status;
  return {};
}

void guess_axes(ViewOptions& options, const RowFacts& facts) {
  const std::size_t first_key = facts.ranked ? 1 : 0;
  if (options.series.empty() && options.kind == "line" && facts.keys == 1)
    options.series = options.columns[first_key].name;
  if (options.x.empty()) {
    const auto time = std::ranges::find(options.columns, "timestamp", &ColumnReport::type);
    if (time != options.columns.end()) options.x = time->name;
  }
  if (!options.y.empty()) return;
  for (std::size_t at = 0; at < options.columns.size(); ++at) {
    const ColumnReport& column = options.columns[at];
    const bool is_key = at >= first_key && at < first_key + facts.keys;
    if (!is_number(column) || is_key || column.name == "rank") continue;
    if (column.name == options.x || column.name == options.series) continue;
    options.y.push_back(column.name);
    return;
  }
}

Status lay_out_map(ViewOptions& options) {
  if (options.x.empty() || options.y.size() != 1 || options.series.empty())
    return refused(
        "a map needs the columns of what moves and of its place: {.kind = ViewKind::map, .x = "
        "\"longitude\", .y = \"latitude\", .series = \"aircraft\"}; there are: " +
        offered(options, false));
  for (const GeoArea& area : options.areas)
    if (Status status = area.validate(); !status) return status;
  options.key_columns = {options.series};
  options.newest_last = true;
  return {};
}

Status lay_out_chart(ViewOptions& options, const RowFacts& facts) {
  if (options.kind == "map") return lay_out_map(options);
  if (options.kind == "grid") {
    if (options.x.empty() || options.y.size() != 1 || options.measure.empty())
      return refused(
          "a grid needs the columns of its cells and the number that colours them: "
          "{.kind = ViewKind::grid, .x = \"column\", .y = \"row\", .measure = "
          "\"count\"}; there are: " +
          offered(options, true));
    options.key_columns = {options.x, options.y.front()};
    return {};
  }
  guess_axes(options, facts);
  if (options.y.empty())
    return refused("a " + options.kind + " needs a number to draw, and its rows have none");
  return {};
}

std::size_t usual_rows(const std::string& kind) {
  if (kind == "line" || kind == "number") return 2'000;
  if (kind == "map") return kPlacesMax;
  return kind == "grid" ? kRowsMax : 200;
}

std::string kind_of(const RowFacts& facts) {
  if (facts.ranked) return "top";
  return facts.windowed || facts.keys > 0 ? "table" : "alerts";
}

}  // namespace

Status lay_out(ViewOptions& options) {
  const RowFacts facts = options.facts;
  if (options.kind.empty()) options.kind = kind_of(facts);
  const bool chart = options.kind == "line" || options.kind == "number" || options.kind == "grid" ||
                     options.kind == "map";
  Status status;
  if (options.rows_max > kRowsMax)
    status = refused(fmt::format("rows_max is {}: give 1 to {}, or 0 for the usual number",
                                 options.rows_max, kRowsMax));
  if (options.kind != "map" && !options.areas.empty())
    status = refused("areas are of a map: {.kind = ViewKind::map, ...}");
  if (options.rows_max == 0) options.rows_max = usual_rows(options.kind);
  if (status.ok()) status = check_all(options);
  if (status.ok() && chart) status = lay_out_chart(options, facts);
  if (!status.ok()) {
    ViewOptions plain;
    plain.name = std::move(options.name);
    plain.columns = std::move(options.columns);
    options = std::move(plain);
    return status;
  }
  // A running aggregate emits for every record: each key keeps one row.
  if (options.kind == "table" && !facts.windowed && options.key_columns.empty()) {
    const std::size_t first = facts.ranked ? 1 : 0;
    for (std::size_t at = first; at < first + facts.keys && at < options.columns.size(); ++at)
      options.key_columns.push_back(options.columns[at].name);
  }
  return {};
}

}  // namespace millrace::detail
