// unhurried: a source that takes its time, for tests that must meet a program while it runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <thread>

/// Waits a millisecond for each record behind the first half of `count` where UNHURRIED is in the
/// environment: who kills the program then never comes too late, however fast the machine is.
inline void take_time(std::uint64_t index, std::uint64_t count) {
  static const bool unhurried = std::getenv("UNHURRIED") != nullptr;
  if (unhurried && index >= count / 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}
