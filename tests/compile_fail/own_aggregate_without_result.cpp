// Must not compile: millrace: an aggregate of one's own needs result(const Accumulator&) const
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

struct Unfinished {
  std::int64_t init() const { return 0; }
  void add(std::int64_t& sum, const Edit& edit) const { sum += edit.added; }
#ifdef FIXED
  std::int64_t result(std::int64_t sum) const { return sum; }
#endif
};

void declare(Topology& topology, const SourceOf<Edit>& source) {
  auto edits = topology.from(source).event_time(&Edit::time);
  auto keyed = edits.key_by(&Edit::channel);
  auto end = each([](const auto&) {});
  keyed.aggregate(own(Unfinished{})).to(end);
}
