// Must not compile: millrace: when needs predicates that take this stream's records and return bool
#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/topology.hpp"

using namespace millrace;

struct Edit {
  Timestamp time;
  std::string_view channel;
  std::int64_t added = 0;
};

void declare(Topology& topology, const SourceOf<Edit>& source) {
  auto edits = topology.from(source).event_time(&Edit::time);
  auto end = each([](const auto&) {});
#ifdef FIXED
  edits.split(when("large", [](const Edit& edit) { return edit.added > 9; }))["large"].to(end);
#else
  edits.split(when("large", [](const Edit&) { return std::string("yes"); }))["large"].to(end);
#endif
}
