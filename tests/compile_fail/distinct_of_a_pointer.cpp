// Must not compile: millrace: distinct counts values that can be keys: numbers, enums, texts,
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
  keyed.distinct(&Edit::added).to(end);
#else
  keyed.distinct(&Edit::history).to(end);
#endif
}
