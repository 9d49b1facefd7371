// Must not compile: millrace: both sides of a join need keys of the same type: make one like the
#include <cstdint>
#include <string_view>

#include "millrace/topology.hpp"

using namespace millrace;

struct Order {
  Timestamp time;
  std::int64_t id = 0;
};
struct Shipment {
  Timestamp time;
  std::int64_t order = 0;
  std::string_view city;
};
struct Sent {
  std::int64_t order = 0;
};

void declare(Topology& topology) {
  auto orders = topology.from(json_lines<Order>("orders.jsonl")).event_time(&Order::time);
  auto shipments = topology.from(json_lines<Shipment>("sent.jsonl")).event_time(&Shipment::time);
  const auto sent = [](const Order& order, const Shipment&) { return Sent{order.id}; };
#ifdef FIXED
  orders.key_by(&Order::id)
      .join(shipments.key_by(&Shipment::order))
      .within(0s, 1h)
      .inner(sent)
      .to(print());
#else
  orders.key_by(&Order::id)
      .join(shipments.key_by(&Shipment::city))
      .within(0s, 1h)
      .inner(sent)
      .to(print());
#endif
}
