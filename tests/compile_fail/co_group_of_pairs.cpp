// Must not compile: millrace: co_group needs a function of a group, CoGroup<Key, Left, Right>
#include <cstdint>
#include <optional>
#include <string>

#include "millrace/topology.hpp"

using namespace millrace;

struct Order {
  Timestamp time;
  std::int64_t id = 0;
  std::optional<std::int64_t> customer;
};
struct Payment {
  Timestamp time;
  std::int64_t order = 0;
  std::string text;
};

void declare(Topology& topology, const SourceOf<Order>& orders, const SourceOf<Payment>& payments) {
  topology.from(orders)
      .key_by(&Order::id)
      .join(topology.from(payments).key_by(&Payment::order))
      .window(tumbling(1min))
#ifdef FIXED
      .co_group([](const CoGroup<std::int64_t, Order, Payment>& group) { return group.key; })
#else
      .co_group([](const Order& order, const Payment&) { return order.id; })
#endif
      .to(each([](std::int64_t) {}));
}
