// Must not compile: millrace: merge joins streams of one record type: map them first
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
  edits.merge(edits.filter([](const Edit& edit) { return edit.added > 0; })).to(print());
#else
  edits.merge(edits.map([](const Edit& edit) { return edit.added; })).to(print());
#endif
}
