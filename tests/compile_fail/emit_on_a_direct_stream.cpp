// Must not compile: millrace: a direct stream needs the receiving task: emit_to<"name">(task,
// record)
#include <cstdint>

#include "millrace/topology.hpp"

using namespace millrace;

struct Order {
  std::int64_t id = 0;
};
using Work = Streams<DirectOut<"work", Order>>;

struct Boss : Bolt<Order, Work> {
  void process(const Order& order, Output<Work>& out) override {
#ifdef FIXED
    out.emit_to<"work">(0, order);
#else
    out.emit<"work">(order);
#endif
  }
};

void declare(Topology& topology, const Stream<Order>& orders) {
  topology.bolt("boss", Boss{}, shuffle(orders));
}
