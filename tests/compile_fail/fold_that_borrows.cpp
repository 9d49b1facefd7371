// Must not compile: millrace: a fold's value outlives the records it is made of
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

template <class Text>
struct Last {
  Text channel;
};
template <class Text>
void keep(Last<Text>& last, const Edit& edit) {
  last.channel = Text(edit.channel);
}

void declare(Topology& topology) {
  auto edits = topology.from(json_lines<Edit>("edits.jsonl")).event_time(&Edit::time);
#ifdef FIXED
  edits.key_by(&Edit::added)
      .window(tumbling(1min))
      .fold(Last<std::string>{}, keep<std::string>)
      .to(print());
#else
  edits.key_by(&Edit::added)
      .window(tumbling(1min))
      .fold(Last<std::string_view>{}, keep<std::string_view>)
      .to(print());
#endif
}
