// Must not compile: millrace: this cannot be a key: a key is a number, an enum, a text
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
};

std::vector<int> digits_of(const Edit& edit) { return {static_cast<int>(edit.added)}; }

void declare(Topology& topology) {
  auto edits = topology.from(json_lines<Edit>("edits.jsonl")).event_time(&Edit::time);
#ifdef FIXED
  edits.key_by([](const Edit& edit) { return digits_of(edit).front(); }).count().to(print());
#else
  edits.key_by(digits_of).count().to(print());
#endif
}
