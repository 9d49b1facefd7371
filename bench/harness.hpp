// The measuring harness: runs engine and limit in turn, compares their answers, makes medians.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace millrace::bench {

/// What the command line asks of every workload.
struct Settings {
  unsigned threads = 1;          ///< executors and parallelism of the engine
  unsigned runs = 0;             ///< turns of engine and limit; 0: 5, of latency 3
  std::uint64_t records = 0;     ///< 0: the workload's own size
  double seconds = 10;           ///< latency: length of a run
  std::uint64_t rate = 100'000;  ///< latency: events a second
  std::uint64_t keys = 0;        ///< of workloads that take it: number; 0: their own
  std::string input;     ///< hashtags: the file; empty: one in the folder for temporary files
  bool full = false;     ///< growth: also the size that takes minutes and 5 GB of disk
  double with_load = 0;  ///< latency: other processes take this share of every processor
  bool auto_executors = false;  ///< the engine chooses how many; `threads` is the parallelism
  bool json = false;
};

/// The answer of one run: a checksum, and what it ran over.
struct Answer {
  std::uint64_t records = 0;
  std::uint64_t checksum = 0;
  std::vector<std::uint32_t> latencies_ns;  ///< one per event, only from latency workloads
  std::string failure;                      ///< why the run has no answer; empty: it has one
};

/// One run with what it took.
struct Sample {
  Answer answer;
  double wall_seconds = 0;
  double cpu_seconds = 0;
  std::uint64_t peak_rss_bytes = 0;
  double latency_us_p50 = 0;
  double latency_us_p99 = 0;
};

/// The medians of a workload's runs.
struct Medians {
  double rate = 0;          ///< records a second of wall time
  double rate_per_cpu = 0;  ///< records a CPU-second, all threads together
  double cpu_seconds = 0;
  std::uint64_t peak_rss_bytes = 0;
  double latency_us_p50 = 0;
  double latency_us_p99 = 0;
};

struct Outcome;

/// A further run that is reported beside engine and limit: another size, another program.
struct Extra {
  std::string name;  ///< its key in the JSON object
  std::function<Answer()> run;
  std::function<Answer()> wanted;  ///< gives its right answer, run once; empty: the limit's
};

/// A figure made of the medians, with the bounds it should lie in.
struct Figure {
  std::string name;
  double value = 0;
  double least = 0;
  double most = 0;  ///< 0: none
  bool good() const { return value >= least && (most == 0 || value <= most); }
};

/// A workload: the same work by the engine and by hand.
struct Workload {
  std::string name;
  std::string unit;                        ///< what a record is called: "lines", "events"
  std::function<Answer(unsigned)> engine;  ///< with that many threads
  std::function<Answer()> limit;           ///< the honest loop, one thread
  std::function<Answer()> bound;           ///< a specialised faster loop, or empty
  double limit_rate_min = 0;  ///< records a CPU-second under which the limit is too slow
  bool is_latency = false;
  std::vector<Extra> extras;
  std::function<std::vector<Figure>(const Outcome&)> figures;  ///< or empty
};

/// What is reported of a workload.
struct Outcome {
  Medians engine;
  Medians one_thread;  ///< of the engine with one thread, where more were asked for
  Medians limit;
  Medians bound;
  std::vector<Medians> extras;  ///< in the order of the workload's
  bool answer_equal = false;
  std::string failure;  ///< empty when every run had an answer
};

/// Runs a workload several times: engine, limit (and the others) in turn, so that what else the
/// machine does meets all of them. Answers are compared with the limit's first one.
Outcome measure(const Workload& workload, const Settings& settings);

/// The outcome as one JSON object, or as a table of lines.
std::string to_json(const Workload& workload, const Settings& settings, const Outcome& outcome);
std::string to_text(const Workload& workload, const Settings& settings, const Outcome& outcome);

/// Mixes a word into a well spread one; sums of mixed rows are checksums that no order changes.
inline std::uint64_t mix(std::uint64_t word) {
  word ^= word >> 32;
  word *= 0xd6e8feb86659fd93ull;
  word ^= word >> 32;
  word *= 0xd6e8feb86659fd93ull;
  return word ^ (word >> 32);
}

}  // namespace millrace::bench
