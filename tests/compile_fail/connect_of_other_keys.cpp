// Must not compile: millrace: connected streams need keys of the same type
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

struct Matching {
  using Context = KeyedContext<std::int64_t>;
  ValueState<std::int64_t> open;
  void process(const Order&, Context&, Output<Order>&) { open.set(1); }
  void process(const Payment&, Context&, Output<Order>&) { open.clear(); }
};

void declare(Topology& topology, const SourceOf<Order>& orders, const SourceOf<Payment>& payments) {
#ifdef FIXED
  const auto paid = topology.from(payments).key_by(&Payment::order);
#else
  const auto paid = topology.from(payments).key_by(&Payment::text);
#endif
  topology.from(orders)
      .key_by(&Order::id)
      .connect(paid)
      .process(Matching{})
      .to(each([](const Order&) {}));
}
