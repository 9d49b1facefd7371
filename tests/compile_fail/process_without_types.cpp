// Must not compile: millrace: process needs a function or class called with (const Record&,
// Output<Result>&)
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
  edits.process([](const Edit& edit, Output<int>& out) { out.emit(int(edit.added)); }).to(end);
#else
  edits.process([](const auto& edit, auto& out) { out.emit(int(edit.added)); }).to(end);
#endif
}
