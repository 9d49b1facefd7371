// Must not compile: or a tuple of these; of an optional say what stands for an absent one, or leave
// those records out
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

void declare(Topology& topology, const SourceOf<Order>& orders) {
#ifdef FIXED
  (void)topology.from(orders)
      .filter([](const Order& order) { return order.customer.has_value(); })
      .key_by([](const Order& order) { return *order.customer; });
#else
  (void)topology.from(orders).key_by(&Order::customer);
#endif
}
