// Must not compile: millrace: a keyed stream has no rows to show or write: put count(), sum(...) or
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
  auto keyed = edits.key_by(&Edit::channel);
  auto end = each([](const auto&) {});
#ifdef FIXED
  keyed.count().to(end);
#else
  keyed.to(end);
#endif
}
