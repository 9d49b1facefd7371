// Must not compile: millrace: a record's members need default values; a reference has none
#include <cstdint>
#include <string_view>

#include "millrace/topology.hpp"

using namespace millrace;

#ifdef FIXED
struct Edit {
  std::string_view page;
  std::int64_t added = 0;
};
#else
struct Edit {
  std::string_view page;
  std::int64_t& added;
};
#endif

void declare(Topology& topology) { topology.from(json_lines<Edit>("edits.jsonl")).to(print()); }
