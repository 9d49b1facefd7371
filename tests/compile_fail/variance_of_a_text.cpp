// Must not compile: millrace: variance and stddev need a number: give a numeric member or a
// function that returns one
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
  keyed.variance(&Edit::added).to(end);
#else
  keyed.variance(&Edit::channel).to(end);
#endif
}
