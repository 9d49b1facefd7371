// Must not compile: millrace: min and max need values with an order: a number, an enum, a text,
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
  std::vector<int>* history = nullptr;
};

void declare(Topology& topology, const SourceOf<Edit>& source) {
  auto edits = topology.from(source).event_time(&Edit::time);
  auto keyed = edits.key_by(&Edit::channel);
  auto end = each([](const auto&) {});
#ifdef FIXED
  keyed.min(&Edit::added).to(end);
#else
  keyed.min(&Edit::history).to(end);
#endif
}
