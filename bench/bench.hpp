// bench_main: the command `millrace bench`: engine and hand-written loop for the same work, in
// turn.
#pragma once

namespace millrace::bench {

/// Runs `millrace bench [NAME] [flags]` and returns the process's exit code: 0 when every answer of
/// the engine equals the limit's, 1 when one differs or a run fails, 64 for a wrong command line.
///
/// argv[0] is the program's name; argv[1] may be the workload. Prints the results to standard
/// output and progress to standard error. Call it from main's thread, once.
int bench_main(int argc, char** argv);

}  // namespace millrace::bench
