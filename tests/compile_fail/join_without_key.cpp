// Must not compile: millrace: join needs a key on both sides: put key_by(...) before it
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
  const auto paid = topology.from(payments).key_by(&Payment::order);
#ifdef FIXED
  (void)topology.from(orders).key_by(&Order::id).join(paid);
#else
  topology.from(orders).join(paid);
#endif
}
