// Must not compile: millrace: lookup by a key of several members needs one that has std::hash
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "millrace/topology.hpp"

using namespace millrace;

struct Order {
  std::int64_t shop = 0;
  std::int64_t item = 0;
};

void declare(Topology& topology, const SourceOf<Order>& orders) {
  const auto keyed = topology.from(orders).key_by(&Order::shop, &Order::item);
#ifdef FIXED
  const auto name = [](const Order& order) {
    return std::to_string(order.shop) + "/" + std::to_string(order.item);
  };
  (void)keyed.lookup(name, [](const std::string&) { return std::optional<std::int64_t>(1); });
#else
  (void)keyed.lookup([](const std::tuple<std::int64_t, std::int64_t>&) {
    return std::optional<std::int64_t>(1);
  });
#endif
}
