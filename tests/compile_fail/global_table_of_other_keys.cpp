// Must not compile: millrace: what the records of a stream name, and the key of the global table,
// need to be of the same type
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
#ifdef FIXED
  const auto paid = topology.from(payments).key_by(&Payment::order).table().global();
#else
  const auto paid = topology.from(payments).key_by(&Payment::text).table().global();
#endif
  topology.from(orders)
      .join(paid, &Order::customer)
      .inner([](const Order& order, const Payment&) { return order.id; })
      .to(each([](std::int64_t) {}));
}
