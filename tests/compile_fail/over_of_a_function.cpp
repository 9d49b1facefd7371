// Must not compile: millrace: over() looks back by a number of records or a span of time
#include <cstdint>
#include <string_view>

#include "millrace/topology.hpp"

using namespace millrace;

struct Trade {
  Timestamp time;
  std::string_view symbol;
  double price = 0;
};

void declare(Topology& topology) {
  auto trades = topology.from(json_lines<Trade>("trades.jsonl")).event_time(&Trade::time);
#ifdef FIXED
  trades.key_by(&Trade::symbol).over(last(100)).mean(&Trade::price).to(print());
#else
  trades.key_by(&Trade::symbol).over(last(&Trade::price)).mean(&Trade::price).to(print());
#endif
}
