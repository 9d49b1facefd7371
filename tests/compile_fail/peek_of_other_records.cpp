// Must not compile: millrace: peek needs a function that takes this stream's records
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
  edits.peek([](const Edit&) {}).to(end);
#else
  edits.peek([](const std::string&) {}).to(end);
#endif
}
