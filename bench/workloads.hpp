// The workloads of `millrace bench`, one function each.
#pragma once

#include "harness.hpp"

namespace millrace::bench {

/// W1: lines of a file, their hashtags counted, the 100 most frequent. Makes the input when absent.
/// Throws std::runtime_error when it cannot be written.
Workload hashtags_workload(const Settings& settings);
/// W4: W1 at least once, every line a message; the limit is W1 without.
Workload acked_workload(const Settings& settings);
/// W2: sums of 10,000 keys in tumbling windows of a second of event time.
Workload window_sum_workload(const Settings& settings);
/// W5: W2 exactly once, with a checkpoint every second; the limit is W2 without. Each run has a
/// state folder of its own in the folder for temporary files.
Workload checkpointed_workload(const Settings& settings);
/// W1 and W2 as topologies in YAML, through rows; beside them the same by typed verbs.
Workload rows_hashtags_workload(const Settings& settings);
Workload rows_window_sum_workload(const Settings& settings);
/// Sums of 10,000 keys in windows of a minute that begin every second, beside tumbling ones of a
/// second over the same events: at most twice their cost.
Workload sliding_workload(const Settings& settings);
/// Sums of 10,000 keys in sessions, a tenth of them open.
Workload session_workload(const Settings& settings);
/// W3: latency of an open loop through map, key_by and a running count.
Workload latency_workload(const Settings& settings);
/// csv: rows of a file into records; the limit is a parser written for that file alone.
Workload csv_workload(const Settings& settings);
/// A running state of many keys: events of uniform keys, counted by key.
Workload wide_state_workload(const Settings& settings);
/// Sums of a thousand keys with 1 to 1,000 windows open at once.
Workload open_windows_workload(const Settings& settings);
/// A class with one state a key: sums of a million keys.
Workload process_state_workload(const Settings& settings);
Workload spilled_state_workload(const Settings& settings);
/// The same of a running sum.
Workload spilled_aggregate_workload(const Settings& settings);
/// The same of an interval join: orders of which few are asked for.
Workload spilled_join_workload(const Settings& settings);
/// A class that sets one timer a key: a million pending.
Workload timers_workload(const Settings& settings);
/// A pattern: a, then b within ten seconds, of 10,000 keys.
Workload pattern_workload(const Settings& settings);
/// Two streams of 10,000 keys, paired within two seconds: about a pair a record.
Workload interval_join_workload(const Settings& settings);
/// Query 0 to 8 of NEXMark.
Workload nexmark_workload(int query, const Settings& settings);
/// A stream of orders, each with its user's row in a table that changes all the time.
Workload table_join_workload(const Settings& settings);
/// Events up to a second out of order, put in order by one task.
Workload order_restore_workload(const Settings& settings);
/// Exact counts of the distinct users of a thousand keys in windows of a second.
Workload distinct_workload(const Settings& settings);
/// The median and the 99th percentile of a thousand keys in windows of a second.
Workload quantiles_workload(const Settings& settings);
/// Records with bytes of 1 KB and of 1 MB through a chain of queues.
Workload large_records_workload(const Settings& settings);
/// JSON lines into structs. Makes the input when absent, as hashtags.
Workload json_workload(const Settings& settings);
/// W1 at several sizes, and chains of 1 to 500 operators: nothing may grow faster than the work.
Workload growth_workload(const Settings& settings);
/// Peak memory of W1 and of a demo that idles, and how long `version` takes.
Workload memory_workload(const Settings& settings);
/// Appends and reads of a journal against plain write and fdatasync of the same bytes; producers
/// that share syncs.
Workload journal_workload(const Settings& settings);
/// More tasks for a component with a state of a gigabyte, and as many as before; the limit is a
/// plain copy of as many bytes. Its state folder is in the working directory.
Workload rescale_workload(const Settings& settings);
/// A start from an epoch with a state of a gigabyte; the limit is a plain read of its file. Makes
/// the epoch first, in the working directory.
Workload restore_workload(const Settings& settings);

}  // namespace millrace::bench
