// Runs a topology to its end and compares the rows of its sinks with files of expected rows.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "connector/open_input.hpp"
#include "env/env.hpp"
#include "millrace/topology.hpp"
#include "runtime/runtime.hpp"
#include "source_folder.hpp"

namespace millrace::golden {

using Lines = std::vector<std::string>;
/// What each stream of a topology emitted, by the name of its expected file.
using Results = std::map<std::string, Lines>;

/// A folder of data beside the clone, with a slash at its end; it is not part of the project.
inline std::string shared_folder(std::string_view name) {
  return fmt::format("{}/../shared/data/{}/", source_folder(), name);
}

/// A field of CSV: in quotes only where it must be.
inline std::string csv(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

/// The lines of a file (plain or gzip) without its header; empty when it cannot be read.
inline Lines read_rows(const std::string& path) {
  auto input = detail::open_input(*detail::real_env().files, path);
  std::string text;
  std::vector<char> buffer(1 << 16);
  while (input) {
    auto count = (*input)->read(buffer.data(), buffer.size());
    if (!count || *count == 0) break;
    text.append(buffer.data(), *count);
  }
  Lines lines;
  for (std::size_t from = 0, end; (end = text.find('\n', from)) != text.npos; from = end + 1) {
    lines.push_back(text.substr(from, end - from));
  }
  if (!lines.empty()) lines.erase(lines.begin());
  return lines;
}

/// Runs to the end of input with threads; the report of the finished run.
inline detail::Report run(Topology& topology, std::uint32_t parallelism, std::uint32_t executors) {
  const detail::Graph& graph = topology.declaration().graph;
  for (const Status& problem : graph.validate()) ADD_FAILURE() << problem.to_string();
  detail::PlanOptions plan;
  plan.parallelism = parallelism;
  detail::RunOptions options;
  options.executors = executors;
  detail::Engine engine(detail::make_plan(graph, plan), options, detail::real_env());
  EXPECT_EQ(engine.start().to_string(), "ok");
  EXPECT_EQ(engine.finish().to_string(), "ok");
  detail::Report report;
  engine.graph().fill(graph, report);
  for (const auto& component : report.components) EXPECT_EQ(component.late, 0u) << component.name;
  EXPECT_EQ(report.dead_letters, 0u);
  return report;
}

/// A number with a point, and the unit of its last place.
struct Decimal {
  double value = 0;
  double unit = 1;
};
inline std::optional<Decimal> decimal_of(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == text.npos) return std::nullopt;
  Decimal read;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read.value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  read.unit = std::pow(10.0, -static_cast<double>(text.size() - point - 1));
  return read;
}

/// Equal field by field: as texts, or as decimals to 1e-6 and one unit of the last place. `rows`
/// have no quoted commas where they have decimals.
inline bool equal_rows(std::string_view a, std::string_view b) {
  while (a != b) {
    const std::size_t end_a = std::min(a.find(','), a.size());
    const std::size_t end_b = std::min(b.find(','), b.size());
    const auto left = decimal_of(a.substr(0, end_a));
    const auto right = decimal_of(b.substr(0, end_b));
    if (a.substr(0, end_a) != b.substr(0, end_b)) {
      if (!left || !right) return false;
      const double slack = 1e-6 * std::abs(left->value) + 1.01 * left->unit;
      if (!(std::abs(left->value - right->value) <= slack)) return false;
    }
    if ((end_a == a.size()) != (end_b == b.size())) return false;
    if (end_a == a.size()) return true;
    a.remove_prefix(end_a + 1);
    b.remove_prefix(end_b + 1);
  }
  return true;
}

/// Compares row by row; where rows of several tasks come in any order, call it with both sorted.
inline void expect_rows(const std::string& name, const Lines& expected, const Lines& found) {
  ASSERT_FALSE(expected.empty()) << name << " cannot be read";
  EXPECT_EQ(found.size(), expected.size()) << name;
  for (std::size_t at = 0; at < std::min(found.size(), expected.size()); ++at) {
    ASSERT_TRUE(equal_rows(found[at], expected[at]))
        << name << ", row " << at + 1 << "\n  expected " << expected[at] << "\n  found    "
        << found[at];
  }
}

inline Lines sorted(Lines lines) {
  std::ranges::sort(lines);
  return lines;
}

}  // namespace millrace::golden
