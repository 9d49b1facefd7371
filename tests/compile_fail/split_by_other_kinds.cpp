// Must not compile: millrace: split needs the kinds to split by, of the type of the member
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
  edits.split(&Edit::channel, "#en")["#en"].to(end);
#else
  edits.split(&Edit::channel, &Edit::added).others().to(end);
#endif
}
