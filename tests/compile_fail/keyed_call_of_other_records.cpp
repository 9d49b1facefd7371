// Must not compile: millrace: call needs f(const Record&) that returns the result
#include <cstdint>

#include "millrace/topology.hpp"

using namespace millrace;

struct Order {
  std::int64_t id = 0;
};
struct Payment {
  std::int64_t order = 0;
};

void declare(Topology& topology, const SourceOf<Order>& orders) {
#ifdef FIXED
  using Asked = Order;
#else
  using Asked = Payment;
#endif
  (void)topology.from(orders).key_by(&Order::id).call([](const Asked&) { return 1; });
}
