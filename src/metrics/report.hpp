// Report: one consistent picture of a running topology, built once a second and read by page, REST
// and summary.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/geo_area.hpp"
#include "base/time.hpp"

namespace millrace::detail {

/// One value of a shown row. monostate is null.
using Cell = std::variant<std::monostate, bool, std::int64_t, double, std::string, Timestamp>;

struct ColumnReport {
  std::string name;
  std::string type;  ///< "bool", "int", "double", "string", "timestamp"
};

/// A line of a chart: points by ascending x.
struct LineReport {
  std::string name;  ///< the value of the series column, or the name of the y column
  struct Point {
    double x;  ///< milliseconds since 1970 for times, else the number itself
    double y;
  };
  std::vector<Point> points;
};

/// The rows a view holds now. Rows are in the order to show.
struct ViewReport {
  std::string name;
  std::string kind;  ///< "top" (ranked rows of the latest window), "table" (rows of the latest
                     ///< window), "alerts" (newest first), "line", "number", "grid", "map"
  std::vector<ColumnReport> columns;
  std::vector<std::vector<Cell>> rows;
  std::uint64_t records = 0;         ///< records the view received, ever
  std::optional<Time> window_start;  ///< of the rows shown, event time, microseconds
  std::optional<Time> window_end;
  // Columns by their part in a chart; empty where the kind has no such part.
  std::string x = {};
  bool x_is_time = false;  ///< points' x is milliseconds since 1970
  std::vector<std::string> y = {};
  std::string series = {};
  std::string measure = {};
  std::string unit = {};
  std::vector<LineReport> lines = {};             ///< of "line" and "number"
  std::vector<std::vector<GeoPoint>> areas = {};  ///< of "map": outlines
  std::string why_empty = {};                     ///< a sentence while it has had no row
};

/// Dead letters of one component with the same reason.
struct ErrorReport {
  std::string reason;  ///< of the newest of them, and so are the next three
  std::string where;
  std::string record;
  Time at = 0;  ///< wall clock, microseconds since 1970
  std::uint64_t count = 0;
};

/// A partition of a source, as event time sees it.
struct PartitionReport {
  std::string name;
  std::optional<Time> watermark;  ///< kTimeMax: it has ended; empty: nothing came yet
  bool idle = false;              ///< it gave nothing for idle_after, and holds nobody
};

/// How unevenly the tasks of a component were fed of late.
struct SkewReport {
  double share = 0;  ///< of the records, the one task that took most
  double even = 1;   ///< what each would have taken of an even load
  std::uint32_t task = 0;
};

/// A key that many records have, found by sampling one record a batch.
struct HotKeyReport {
  std::string text;
  double share = 0;
  std::uint64_t samples = 0;  ///< taken in all
};

/// A metric that the user's code registered, summed over the tasks of its component.
struct MetricReport {
  std::string name;
  std::string kind;  ///< "counter", "gauge", "histogram" or "timer"
  double value = 0;  ///< count or level; of a histogram or timer the sum, timers in microseconds
  // Of histograms and timers only; timers in microseconds.
  std::uint64_t count = 0;
  double p50 = 0;
  double p99 = 0;
  double greatest = 0;
};

/// Messages that were read at once and are not done.
struct OpenTreeReport {
  std::string first;           ///< the first of them: "posts partition 0, message 12"
  std::uint32_t messages = 0;  ///< how many they were
  std::int64_t age_ms = 0;     ///< since they were handed on
  std::uint32_t moving = 0;    ///< shares of what is on its way
  std::uint32_t held = 0;      ///< shares of what is kept in state
  std::string component;       ///< the last one behind a ring that had one of them; or ""
};

/// What became of the messages of a source, summed over its tasks: tried = acked + failed +
/// given_up + pending + in_hand + held + abandoned.
struct AckReport {
  std::uint64_t tried = 0;      ///< messages handed on; each time one is played again counts
  std::uint64_t acked = 0;      ///< handled to the end
  std::uint64_t failed = 0;     ///< to be played again
  std::uint64_t timed_out = 0;  ///< of those that failed or were given up
  std::uint64_t replayed = 0;   ///< played again, of those tried
  std::uint64_t given_up = 0;   ///< failed in hand for the last time: a dead letter of the source
  std::uint64_t pending = 0;    ///< on their way
  std::uint64_t in_hand = 0;    ///< a bolt has taken some that were read with them
  std::uint64_t held = 0;       ///< all that is left of them is in state
  std::uint64_t abandoned = 0;  ///< were in state when the run was stopped
  std::optional<double> latency_us_p50 = {};  ///< from handing a message on to its ack
  std::optional<double> latency_us_p99 = {};
  std::vector<OpenTreeReport> slowest = {};  ///< those that move first, oldest first, at most 10
};

/// Keyed state that memory has no room for; all 0: there is none.
struct SpilledReport {
  std::uint64_t keys = 0;    ///< on disk; about, for some may be over
  std::uint64_t bytes = 0;   ///< that they take there, about
  std::uint64_t hits = 0;    ///< look-ups since the first key went there that found it in memory
  std::uint64_t misses = 0;  ///< keys that came back from disk
};

/// Counts of a component, summed over its tasks: received = processed + filtered + late +
/// dead_lettered + failed + in_flight.
struct ComponentReport {
  std::string name;
  std::string kind;  ///< "source", "spout", "bolt", "filter", "map", "count", "top", "sink", ...
  std::uint32_t tasks = 1;
  std::uint64_t received = 0;  ///< for a source: records read
  std::uint64_t processed = 0;
  std::uint64_t filtered = 0;
  std::uint64_t late = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t failed = 0;  ///< user code failed at them, and their messages are played again
  std::uint64_t in_flight = 0;
  std::uint64_t emitted = 0;
  /// Beside the identity: rows that could not be made when a window fired; dead letters too.
  std::uint64_t rows_refused = 0;
  std::uint64_t state_bytes = 0;   ///< keyed state held now
  bool held_by_memory = false;     ///< a source that waits because the memory budget is used up
  bool held_by_alignment = false;  ///< a source that waits for others, behind it in event time
  double busy_share =
      0;  ///< 0..1 of one executor's time over the last second (sum over tasks may exceed 1)
  std::optional<Time> watermark;
  std::vector<MetricReport> metrics = {};  ///< of the user's own, by name

  std::uint32_t chain = 0;  ///< index into Report::chains
  double received_per_second = 0;
  double emitted_per_second = 0;
  double blocked_share = 0;  ///< 0..1 of its tasks' time spent waiting for a full ring, their mean
  /// Own time of a call with a batch, of late. Empty: there was none.
  std::optional<double> step_us_p50 = {};
  std::optional<double> step_us_p99 = {};
  std::optional<double> step_us_max = {};
  std::optional<double> latency_us_p50 = {};  ///< of sinks, end to end, of late
  std::optional<double> latency_us_p99 = {};
  std::uint64_t queued = 0;                 ///< records in the rings before it
  double queue_fill = 0;                    ///< 0..1, of the fullest of these rings
  std::optional<std::int64_t> lag_ms = {};  ///< newest event time read anywhere minus its watermark
  std::optional<SkewReport> skew = {};
  std::optional<HotKeyReport> hot_key = {};
  std::optional<Time> closes_at = {};  ///< watermark at which its first open window fires;
                                       ///< kTimeMax: at the end of input
  std::vector<PartitionReport> partitions =
      {};                                ///< of one that stamps event time, at most 64 a task
  std::vector<ErrorReport> errors = {};  ///< newest first, at most 8
  std::optional<AckReport> acks = {};    ///< of a source, where messages are tracked
  SpilledReport spilled = {};
};

/// Counts of an edge: sent = received + queued.
struct EdgeReport {
  std::string from;
  std::string to;
  std::string grouping;  ///< "forward", "shuffle", "fields", ..., "errors"; docs/concepts.md
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t queued = 0;
  std::uint64_t queued_bytes = 0;  ///< of those and of what is being handled, without shared texts
  double records_per_second = 0;
  std::uint32_t rings = 0;  ///< 0: its ends are fused, nothing queues
  std::uint64_t queued_batches = 0;
  double fill = 0;  ///< 0..1, of its fullest ring
};

/// Components that run fused, as one task for each index.
struct ChainReport {
  std::vector<std::string> components;
  std::uint32_t tasks = 1;
  double busy_share = 0;     ///< sum over its tasks, of late
  double blocked_share = 0;  ///< mean over its tasks, of late
};

/// One running instance of a chain.
struct TaskReport {
  std::uint32_t chain = 0;
  std::uint32_t index = 0;     ///< in its chain
  std::int32_t executor = -1;  ///< number of the executor that steps it; -1: none
  std::string_view state;      ///< "running", "idle", "blocked", "done"
  std::uint64_t received = 0;
  std::uint64_t emitted = 0;
  double received_per_second = 0;
  double busy_share = 0;
  double blocked_share = 0;
  std::uint64_t queued = 0;
  std::uint64_t queued_batches = 0;
  double queue_fill = 0;
  std::string running;    ///< the component whose code runs right now; empty between steps
  double running_us = 0;  ///< for how long
};

/// One thing that is wrong now, in words.
struct Insight {
  std::string severity;   ///< "error", "warning", "info"
  std::string kind;       ///< see insights.hpp
  std::string component;  ///< empty: the whole topology
  std::string text;       ///< what is so
  std::string advice;     ///< what to do
};

struct DeadLetterReport {
  std::string component;
  std::string reason;
  std::string where;   ///< "file:line" or "" when unknown
  std::string record;  ///< the start of the record's text
  Time at = 0;         ///< wall clock, microseconds since 1970
};

/// A thread that steps tasks.
struct ExecutorReport {
  std::uint32_t number = 1;  ///< from 1; a removed executor's number may be given again
  std::uint32_t tasks = 0;   ///< tasks it steps now
  double busy_share = 0;     ///< 0..1 of its time in steps that did something, lately
  std::string component;     ///< the only one it serves, where that is marked blocking; else ""
};

/// An executor came or went, or tasks moved, and why.
struct ExecutorChangeReport {
  Time at = 0;       ///< wall clock, microseconds since 1970
  std::string text;  ///< "executor 2 added: executor 1 was 83 % busy for 100 ms; takes ..."
};

/// A component whose task did not return from a step within 20 ms; others cannot run meanwhile
/// unless they move.
struct SlowStepReport {
  std::string component;
  std::uint32_t task = 0;    ///< its index, from 0
  std::uint64_t times = 0;   ///< how often, so far
  std::int64_t ms_last = 0;  ///< how long the last one took, or takes until now
  std::int64_t ms_most = 0;
  bool running = false;  ///< the last one has not returned yet
  Time at = 0;           ///< when the last one was seen; wall clock
};

/// The memory budget and what uses it, in bytes.
struct MemoryReport {
  std::uint64_t budget_bytes = 0;          ///< --memory; 0: none
  std::uint64_t in_flight_max_bytes = 0;   ///< share of records on their way: over it sources wait
  std::uint64_t state_max_bytes = 0;       ///< share of keyed state: over it the component fails
  std::uint64_t arenas_bytes = 0;          ///< texts of records on their way, and spare blocks
  std::uint64_t queued_bytes = 0;          ///< records in open batches and rings
  std::uint64_t images_bytes = 0;          ///< of epochs, while their disk is slow
  std::uint64_t state_bytes = 0;           ///< keyed state of all components
  std::uint64_t in_flight_peak_bytes = 0;  ///< the most that these three had together
  std::uint64_t state_peak_bytes = 0;
};

/// An epoch as the checkpoint that it makes.
struct CheckpointReport {
  std::uint64_t id = 0;
  std::string_view state;      ///< "running", "complete", "failed"
  Time at = 0;                 ///< when it was begun; wall clock
  std::int64_t align_us = 0;   ///< from its begin until the last task had taken its image
  std::int64_t image_us = 0;   ///< the longest that a task stood still for it; a part of align_us
  std::int64_t write_us = 0;   ///< until it was kept
  std::int64_t commit_us = 0;  ///< until all sinks had made visible what belongs to it
  std::uint64_t bytes = 0;
  std::uint64_t base = 0;   ///< the epoch that it holds the changes of; 0: it is whole
  std::uint32_t chain = 0;  ///< epochs of changes behind a whole one, with it; 0: it is whole
  std::string why;          ///< why it failed, else ""
};

/// Epochs of a run.
struct CheckpointsReport {
  std::int64_t interval_ms = 0;
  std::uint64_t completed = 0;              ///< by this run
  std::uint64_t failed = 0;                 ///< by this run; what they held came with the next one
  std::optional<std::int64_t> age_ms = {};  ///< of the newest that this run completed
  std::optional<std::uint64_t> restored_from = {};  ///< the one that the run went on from
  std::vector<CheckpointReport> recent = {};        ///< newest first, at most 20
};

/// How far a run has read what it goes on from.
struct RestoreReport {
  std::uint64_t bytes = 0;      ///< read
  std::uint64_t bytes_all = 0;  ///< of the checkpoint
  std::int64_t left_ms = 0;     ///< until all are read, at the speed so far
};

/// Of a run whose process is killed again and again: what a reader outside of it saw.
struct KillsReport {
  std::uint64_t kills = 0;
  std::uint64_t lost = 0;     ///< expected rows that never came
  std::uint64_t doubled = 0;  ///< rows that came again
};

struct OracleReport {
  std::uint64_t rows = 0;  ///< rows compared with expected ones
  /// Different from the expected ones, or not expected; without `kills` also missing or doubled.
  std::uint64_t wrong = 0;
  std::optional<KillsReport> kills = {};  ///< empty: nobody kills the process
};

/// What a program adds to its summary.
struct SummaryPart {
  std::string name;  ///< the member of the JSON summary
  std::string json;  ///< its value, a JSON text
  std::string text;  ///< the same for people: one line
};

struct Report {
  std::string topology;
  std::string version;
  std::string state;  ///< "restoring", "running", "draining", "finished", "failed"
  std::string error;  ///< why it failed, else ""
  std::int64_t uptime_ms = 0;
  std::uint64_t records_in = 0;   ///< records that left sources
  std::uint64_t records_out = 0;  ///< records that sinks and views took
  double records_in_per_second = 0;
  double records_out_per_second = 0;
  /// Latency of batches: from the moment the oldest record was due to the sink's return. Empty:
  /// none yet.
  std::optional<double> latency_us_p50;
  std::optional<double> latency_us_p99 = {};
  std::optional<double> recent_latency_us_p50;  ///< the same since the report before
  std::optional<double> recent_latency_us_p99;
  std::optional<Time> watermark;                 ///< least over the sinks' inputs
  std::optional<std::int64_t> watermark_lag_ms;  ///< newest event time read minus watermark
  std::uint64_t memory_bytes = 0;                ///< resident, without pages of files
  MemoryReport memory;
  std::uint64_t dead_letters = 0;
  std::uint32_t executors = 1;        ///< threads that step tasks now
  bool executors_auto = false;        ///< their number follows the load
  std::uint32_t executors_most = 1;   ///< at a time, so far
  std::uint64_t executors_added = 0;  ///< beyond those that the run began with
  std::uint64_t executors_removed = 0;
  std::int64_t cpu_ms = 0;  ///< processor time of the process, all threads, user and system
  std::uint32_t parallelism = 1;
  double speed = 0;  ///< replay speed; 0: as fast as possible
  std::vector<ComponentReport> components;
  std::vector<EdgeReport> edges;
  std::vector<ViewReport> views;
  std::vector<DeadLetterReport> recent_dead_letters;  ///< newest first, at most 50
  std::vector<ExecutorReport> executor_threads;
  std::vector<ExecutorChangeReport> executor_changes;  ///< newest first, at most 50
  std::vector<SlowStepReport> slow_steps;              ///< most recent first, at most 20
  std::optional<CheckpointsReport> checkpoints = {};   ///< empty: the run makes no epochs
  std::optional<RestoreReport> restore = {};           ///< only where state is "restoring"
  std::optional<OracleReport> oracle;
  Time at = 0;                 ///< wall clock, microseconds since 1970
  std::optional<bool> active;  ///< false: its sources are paused; empty: they cannot be
  std::uint64_t queued = 0;    ///< records in rings
  double busy_share = 0;       ///< sum over components: how many executors' worth of work
  std::vector<ChainReport> chains;
  std::vector<TaskReport> tasks;   ///< all; a task's position is its number
  std::vector<Insight> insights;   ///< worst first, at most 20
  std::vector<SummaryPart> parts;  ///< of the summary only
};

}  // namespace millrace::detail
