// run(): gives every program the same command line, page, signals, summary and exit codes.
#pragma once

#include <cstdint>
#include <string>

#include "millrace/topology.hpp"

namespace millrace {

/// What a program does when its command line says nothing.
struct RunDefaults {
  /// Replay by event time, as many times faster than it happened; 0: as fast as possible.
  double speed = 0;
};

/// Runs the topology until its input ends, `--duration` is over, or Ctrl-C: then what is in flight
/// is drained, and a summary is printed. Returns the process's exit code (sysexits.h;
/// docs/errors.md): `return run(topology, argc, argv)`.
///
/// `--help` lists the flags; `defaults` holds where they begin. Prints to standard output and error
/// and installs handlers for SIGINT and SIGTERM: call it once, from main.
int run(Topology& topology, int argc, char** argv, const RunDefaults& defaults = {});

/// How run_to_end runs.
struct RunSettings {
  int executors = 0;        ///< threads; 0: as many as the load needs and the machine has free
  int parallelism = 1;      ///< tasks of keyed components and bolts, 1 to 128
  std::uint64_t limit = 0;  ///< records each source task reads at most; 0: all
  double speed = 0;         ///< replay by event time; 0: as fast as possible
  /// What of its input it reads: [from, until), as --from and --until; empty: all. See
  /// docs/guides/how-to-replay.md.
  std::string from = {};
  std::string until = {};
  /// Bytes that records on their way and keyed state may take together, as --memory; 0: half of
  /// what the machine or its control group has.
  std::uint64_t memory_bytes = 0;
};

/// Runs the topology until its input ends: no page, no signals, nothing printed. For programs with
/// a main of their own, tests and benches. Blocks. With a state folder that says that the input
/// has ended before, nothing runs. Errors: the first problem of the declaration (2xxx), or why it
/// failed (3xxx, 4xxx).
Status run_to_end(Topology& topology, const RunSettings& settings = {});

}  // namespace millrace
