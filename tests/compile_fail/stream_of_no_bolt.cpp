// Must not compile: millrace: the component declares no stream of this name: add it to Streams<...>
#include <cstdint>

#include "millrace/topology.hpp"

using namespace millrace;

struct Order {
  std::int64_t id = 0;
};

struct Sort : Bolt<Order, Streams<Order, Out<"rejects", Order>>> {
  void process(const Order& order, Output<Record>& out) override { out.emit<"rejects">(order); }
};

void declare(Topology& topology, const Stream<Order>& orders) {
  auto sorted = topology.bolt("sort", Sort{}, shuffle(orders));
#ifdef FIXED
  sorted.stream<"rejects">().to(print());
#else
  sorted.stream<"rejected">().to(print());
#endif
}
