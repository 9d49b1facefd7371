// Must not compile: millrace: windows that emit early or late join what came in time with what came
// late
#include <cstdint>
#include <string_view>

#include "millrace/topology.hpp"

using namespace millrace;

struct Edit {
  Timestamp time;
  std::string_view user;
  std::int64_t added = 0;
};

void declare(Topology& topology) {
  auto edits = topology.from(json_lines<Edit>("edits.jsonl")).event_time(&Edit::time);
  const auto windows = edits.key_by(&Edit::user).window(tumbling(1min).allowed_lateness(10s));
  const auto add = [](std::int64_t& sum, const Edit& edit) { sum += edit.added; };
#ifdef FIXED
  const auto merge = [](std::int64_t& sum, std::int64_t other) { sum += other; };
  windows.fold(std::int64_t{0}, add, merge).to(print());
#else
  windows.fold(std::int64_t{0}, add).to(print());
#endif
}
