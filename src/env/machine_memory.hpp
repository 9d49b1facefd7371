// machine_memory_bytes: how much memory this process may use at most, by machine and control group.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::detail {

/// The machine's memory, or less where a control group (v1 or v2) of the process allows less.
/// `root` is where /proc and /sys are, for tests. 0 where the system does not say.
std::uint64_t machine_memory_bytes(const std::string& root = "");

/// The budget of a run that was given none: half of machine_memory_bytes(), at least 256 MiB.
std::uint64_t default_memory_bytes();

}  // namespace millrace::detail
