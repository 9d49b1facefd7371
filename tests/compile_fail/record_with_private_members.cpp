// Must not compile: millrace: a record that is stored, parsed or shown must be a plain struct
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
class Edit {
 public:
  std::string_view page;

 private:
  std::int64_t added = 0;
};
#endif

void declare(Topology& topology) { topology.from(json_lines<Edit>("edits.jsonl")).to(print()); }
