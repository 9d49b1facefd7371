// Report: one consistent picture of a running topology, built once a second and read by page, REST
// and summary.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.hpp"

namespace millrace::detail {

/// One value of a shown row. monostate is null.
using Cell = std::variant<std::monostate, bool, std::int64_t, double, std::string, Timestamp>;

struct ColumnReport {
  std::string name;
  std::string type;  ///< "bool", "int", "double", "string", "timestamp"
};

/// The rows a view holds now. Rows are in the order to show.
struct ViewReport {
  std::string name;
  std::string kind;  ///< "top" (ranked rows of the latest window), "table" (rows of the latest
                     ///< window), "alerts" (newest first)
  std::vector<ColumnReport> columns;
  std::vector<std::vector<Cell>> rows;
  std::uint64_t records = 0;         ///< records the view received, ever
  std::optional<Time> window_start;  ///< of the rows shown, event time, microseconds
  std::optional<Time> window_end;
};

/// Counts of a component, summed over its tasks: received = processed + filtered + late +
/// dead_lettered + in_flight.
struct ComponentReport {
  std::string name;
  std::string kind;  ///< "source", "spout", "bolt", "filter", "map", "count", "top", "sink", ...
  std::uint32_t tasks = 1;
  std::uint64_t received = 0;  ///< for a source: records read
  std::uint64_t processed = 0;
  std::uint64_t filtered = 0;
  std::uint64_t late = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t emitted = 0;
  double busy_share =
      0;  ///< 0..1 of one executor's time over the last second (sum over tasks may exceed 1)
  std::optional<Time> watermark;
};

/// Counts of an edge: sent = received + queued.
struct EdgeReport {
  std::string from;
  std::string to;
  std::string grouping;  ///< "forward", "shuffle", "fields", "global", "all"
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t queued = 0;
  double records_per_second = 0;
};

struct DeadLetterReport {
  std::string component;
  std::string reason;
  std::string where;   ///< "file:line" or "" when unknown
  std::string record;  ///< the start of the record's text
  Time at = 0;         ///< wall clock, microseconds since 1970
};

struct OracleReport {
  std::uint64_t rows = 0;   ///< expected rows compared
  std::uint64_t wrong = 0;  ///< of them missing or different, plus unexpected ones
};

struct Report {
  std::string topology;
  std::string version;
  std::string state;  ///< "running", "draining", "finished", "failed"
  std::string error;  ///< why it failed, else ""
  std::int64_t uptime_ms = 0;
  std::uint64_t records_in = 0;   ///< records that left sources
  std::uint64_t records_out = 0;  ///< records that sinks and views took
  double records_in_per_second = 0;
  double records_out_per_second = 0;
  /// Latency of batches: from the moment the oldest record was due to the sink's return. Empty:
  /// none yet.
  std::optional<double> latency_us_p50;
  std::optional<double> latency_us_p99;
  std::optional<Time> watermark;                 ///< least over the sinks' inputs
  std::optional<std::int64_t> watermark_lag_ms;  ///< newest event time read minus watermark
  std::uint64_t memory_bytes = 0;                ///< resident set
  std::uint64_t dead_letters = 0;
  std::uint32_t executors = 1;
  std::uint32_t parallelism = 1;
  double speed = 0;  ///< replay speed; 0: as fast as possible
  std::vector<ComponentReport> components;
  std::vector<EdgeReport> edges;
  std::vector<ViewReport> views;
  std::vector<DeadLetterReport> recent_dead_letters;  ///< newest first, at most 50
  std::optional<OracleReport> oracle;
};

}  // namespace millrace::detail
