// run(): gives every program the same command line, page, signals, summary and exit codes.
#pragma once

#include "millrace/topology.hpp"

namespace millrace {

/// Runs the topology until its input ends, `--duration` is over, or Ctrl-C: then what is in flight
/// is drained, and a summary is printed. Returns the process's exit code (sysexits.h;
/// docs/errors.md): `return run(topology, argc, argv)`.
///
/// `--help` lists the flags. Prints to standard output and error and installs handlers for SIGINT
/// and SIGTERM: call it once, from main.
int run(Topology& topology, int argc, char** argv);

}  // namespace millrace
