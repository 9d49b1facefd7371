// Orders and their shipments: how long each took, and which had none within an hour.
#include <optional>
#include <string_view>

#include "millrace/millrace.hpp"

using namespace millrace;

struct Order {
  std::int64_t id = 0;
  std::string_view customer;
  Timestamp at;
};

struct Shipment {
  std::int64_t order = 0;
  Timestamp at;
};

struct Sent {
  std::int64_t order = 0;
  std::string_view customer;
  std::optional<std::int64_t> minutes;  // none: it has timed out
};

Sent sent(const Order& order, const Shipment* shipment) {
  if (shipment == nullptr) return {order.id, order.customer, {}};
  const auto took = std::chrono::duration_cast<std::chrono::minutes>(shipment->at - order.at);
  return {order.id, order.customer, took.count()};
}

int main(int argc, char** argv) {
  Topology shop("orders and shipments");
  const auto orders = shop.from(csv<Order>("examples/orders.csv"))
                          .named("orders")
                          .event_time(&Order::at, {.out_of_order = 1min})
                          .named("order times");
  const auto shipments = shop.from(csv<Shipment>("examples/shipments.csv"))
                             .named("shipments")
                             .event_time(&Shipment::at, {.out_of_order = 1min})
                             .named("shipment times");
  orders.key_by(&Order::id)
      .join(shipments.key_by(&Shipment::order))
      .within(0s, 1h)
      .left(sent)
      .named("sent")
      .to(print());
  return run(shop, argc, argv);
}
