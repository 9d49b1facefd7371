// Must not compile: millrace: the bolt lacks an overload process(const T&, Output<...>&)
#include <cstdint>

#include "millrace/topology.hpp"

using namespace millrace;

struct Order {
  std::int64_t id = 0;
};
struct Payment {
  std::int64_t order = 0;
};

struct Pairing : Bolt<Inputs<Order, Payment>, Order> {
  void process(const Order& order, Output<Order>& out) override { out.emit(order); }
#ifdef FIXED
  void process(const Payment&, Output<Order>&) override {}
#endif
};

void declare(Topology& topology, const Stream<Order>& orders, const Stream<Payment>& payments) {
  topology.bolt("match", Pairing{}, {fields(orders, &Order::id), fields(payments, &Payment::order)})
      .to(print());
}
