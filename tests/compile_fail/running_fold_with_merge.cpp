// Must not compile: millrace: without a window nothing is merged: leave out fold's third argument
#include <cstdint>

#include "millrace/topology.hpp"

using namespace millrace;

struct Edit {
  Timestamp time;
  std::int64_t added = 0;
};

void declare(Topology& topology) {
  auto edits = topology.from(json_lines<Edit>("edits.jsonl")).event_time(&Edit::time);
  const auto add = [](std::int64_t& sum, const Edit& edit) { sum += edit.added; };
#ifdef FIXED
  edits.key_by(&Edit::added).fold(std::int64_t{0}, add).to(print());
#else
  const auto merge = [](std::int64_t& sum, std::int64_t other) { sum += other; };
  edits.key_by(&Edit::added).fold(std::int64_t{0}, add, merge).to(print());
#endif
}
