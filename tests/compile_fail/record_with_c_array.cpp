// Must not compile: millrace: a record cannot hold a C array or a union
#include <cstdint>
#include <string_view>

#include "millrace/topology.hpp"

using namespace millrace;

#ifdef FIXED
struct Edit {
  std::string_view page;
  std::int64_t added = 0;
  std::int64_t deleted = 0;
};
#else
struct Edit {
  std::string_view page;
  std::int64_t added[2] = {};
};
#endif

void declare(Topology& topology) { topology.from(json_lines<Edit>("edits.jsonl")).to(print()); }
