// Must not compile: millrace: this bolt does not take the records of that stream
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

struct Post {
  std::int64_t id = 0;
};
template <class In>
struct Pass : Bolt<In, In> {
  void process(const In& record, Output<In>& out) override { out.emit(record); }
};

void declare(Topology& topology) {
  auto edits = topology.from(json_lines<Edit>("edits.jsonl")).event_time(&Edit::time);
#ifdef FIXED
  topology.bolt("pass", Pass<Edit>{}, shuffle(edits)).to(print());
#else
  topology.bolt("pass", Pass<Post>{}, shuffle(edits)).to(print());
#endif
}
