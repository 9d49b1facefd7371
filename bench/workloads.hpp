// The workloads of `millrace bench`, one function each.
#pragma once

#include "harness.hpp"

namespace millrace::bench {

/// W1: lines of a file, their hashtags counted, the 100 most frequent. Makes the input when absent.
/// Throws std::runtime_error when it cannot be written.
Workload hashtags_workload(const Settings& settings);
/// W2: sums of 10,000 keys in tumbling windows of a second of event time.
Workload window_sum_workload(const Settings& settings);
/// W3: latency of an open loop through map, key_by and a running count.
Workload latency_workload(const Settings& settings);
/// csv: rows of a file into records; the limit is a parser written for that file alone.
Workload csv_workload(const Settings& settings);

}  // namespace millrace::bench
