// Must not compile: millrace: top ranks the aggregates of windows: put key_by, window and count or
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
  edits.key_by(&Edit::channel).window(tumbling(1min)).count().top(3).to(print());
#else
  edits.key_by(&Edit::channel).count().top(3).to(print());
#endif
}
