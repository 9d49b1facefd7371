// run_engine: runs a topology to the end of its input, silently, with so many threads.
#pragma once

#include <cstdint>
#include <string>

#include "millrace/run.hpp"

namespace millrace::bench {

/// Returns what went wrong as a sentence, empty when the input was processed to its end.
/// `auto_executors`: the engine chooses how many, and `threads` is the parallelism alone.
/// `memory_bytes`: the budget; 0: the default.
inline std::string run_engine(Topology& topology, unsigned threads, bool auto_executors = false,
                              std::uint64_t memory_bytes = 0) {
  RunSettings settings;
  settings.memory_bytes = memory_bytes;
  settings.executors = auto_executors ? 0 : static_cast<int>(threads);
  settings.parallelism = static_cast<int>(threads);
  const Status status = run_to_end(topology, settings);
  return status.ok() ? std::string() : status.to_string();
}

}  // namespace millrace::bench
