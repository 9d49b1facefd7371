// Must not compile: millrace: top(n) ranks numbers: after fold say by which, top(n, &Value::member)
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

struct Sums {
  std::int64_t added = 0;
};
void add(Sums& sums, const Edit& edit) { sums.added += edit.added; }

void declare(Topology& topology) {
  auto edits = topology.from(json_lines<Edit>("edits.jsonl")).event_time(&Edit::time);
#ifdef FIXED
  edits.key_by(&Edit::channel)
      .window(tumbling(1min))
      .fold(Sums{}, add)
      .top(3, &Sums::added)
      .to(print());
#else
  edits.key_by(&Edit::channel).window(tumbling(1min)).fold(Sums{}, add).top(3).to(print());
#endif
}
