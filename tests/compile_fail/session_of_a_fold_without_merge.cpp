// Must not compile: millrace: these windows grow together: give fold a merge as its third argument
#include <cstdint>
#include <string_view>

#include "millrace/topology.hpp"

using namespace millrace;

struct Edit {
  Timestamp time;
  std::string_view user;
  std::int64_t added = 0;
};

void declare(Topology& topology) {
  auto edits = topology.from(json_lines<Edit>("edits.jsonl")).event_time(&Edit::time);
  const auto sessions = edits.key_by(&Edit::user).window(session(30min));
  const auto add = [](std::int64_t& sum, const Edit& edit) { sum += edit.added; };
#ifdef FIXED
  const auto merge = [](std::int64_t& sum, std::int64_t other) { sum += other; };
  sessions.fold(std::int64_t{0}, add, merge).to(print());
#else
  sessions.fold(std::int64_t{0}, add).to(print());
#endif
}
