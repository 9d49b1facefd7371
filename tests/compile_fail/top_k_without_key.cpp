// Must not compile: millrace: top_k needs a key: put key_by(&Record::member) before it
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/topology.hpp"

using namespace millrace;

struct Edit {
  Timestamp time;
  std::string_view channel;
  std::string_view page;
};

void declare(Topology& topology) {
  auto edits = topology.from(json_lines<Edit>("edits.jsonl")).event_time(&Edit::time);
#ifdef FIXED
  edits.key_by(&Edit::channel)
      .window(tumbling(std::chrono::hours(1)))
      .top_k(&Edit::page, 3)
      .to(print());
#else
  edits.top_k(&Edit::page, 3).to(print());
#endif
}
