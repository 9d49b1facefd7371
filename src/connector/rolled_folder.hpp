// RolledFolder: a folder that gets files of bounded size and age, one behind the other.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "base/time.hpp"

namespace millrace {

/// When a file is whole and the next one begins.
struct Rolling {
  /// It has so many bytes, or somewhat more: lines are written some 64 KiB at a time. >= 1.
  std::uint64_t bytes = 128u << 20;
  /// So long after its first record, by the wall clock; looked at with each epoch, without epochs
  /// when records come. > 0.
  Duration every = std::chrono::hours(1);
};

/// What rolled() returns.
struct RolledFolder {
  std::string folder;
  Rolling rolling;
};

/// Files in `folder`, for log() and csv(): TOPOLOGY.COMPONENT-00000001.jsonl and so on. Only whole
/// files are there under such names, and none of them changes any more; the one that grows begins
/// with a dot. With a state folder each record of complete epochs lies in exactly one of them.
inline RolledFolder rolled(std::string folder, Rolling rolling = {}) {
  return {std::move(folder), rolling};
}

}  // namespace millrace
