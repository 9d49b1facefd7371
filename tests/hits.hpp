// Hits: the records that tests of windows share, and the source that a test driver stands in for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "millrace/millrace.hpp"

namespace millrace::shared {

struct Hit {
  std::int32_t key = 0;
  std::int64_t number = 0;
  Timestamp when = {};
  std::string name = {};
};

inline Timestamp at(std::int64_t seconds) { return {seconds * 1'000'000}; }

inline auto hits(Topology& topology) {
  return topology.from(records(std::vector<std::vector<Hit>>(1))).named("hits");
}

}  // namespace millrace::shared
