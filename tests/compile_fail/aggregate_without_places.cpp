// Must not compile: millrace: of several aggregates each needs its place:
// aggregate(count().as(&Row::records)
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

struct Row {
  std::int64_t edits = 0;
  double mean = 0;
  std::int32_t narrow = 0;
};
void declare(Topology& topology, const SourceOf<Edit>& source) {
  auto edits = topology.from(source).event_time(&Edit::time);
  auto keyed = edits.key_by(&Edit::channel);
  auto end = each([](const auto&) {});
#ifdef FIXED
  keyed.aggregate(count().as(&Row::edits), mean(&Edit::added).as(&Row::mean)).to(end);
#else
  keyed.aggregate(count(), mean(&Edit::added)).to(end);
#endif
}
