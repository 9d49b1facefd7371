// Must not compile: millrace: map needs a function that takes this stream's records
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/topology.hpp"

using namespace millrace;

struct Edit {
  Timestamp time;
  std::string_view channel;
  std::int64_t added = 0;
};

void declare(Topology& topology) {
  auto edits = topology.from(json_lines<Edit>("edits.jsonl")).event_time(&Edit::time);
#ifdef FIXED
  edits.map([](const Edit& edit) { return edit.added + 1; }).to(print());
#else
  edits.map([](std::int64_t number) { return number + 1; }).to(print());
#endif
}
