// Must not compile: millrace: a bolt reads a grouping of a stream: shuffle(stream), fields(
#include <cstdint>

#include "millrace/topology.hpp"

using namespace millrace;

struct Order {
  std::int64_t id = 0;
};

struct Pass : Bolt<Order, Order> {
  void process(const Order& order, Output<Order>& out) override { out.emit(order); }
};

void declare(Topology& topology, const Stream<Order>& orders) {
#ifdef FIXED
  topology.bolt("pass", Pass{}, shuffle(orders)).to(print());
#else
  topology.bolt("pass", Pass{}, orders).to(print());
#endif
}
