// Must not compile: millrace: connected streams whose records are of one type cannot be told apart
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

struct Other {
  Order order;
};
struct Matching {
  using Context = KeyedContext<std::int64_t>;
  ValueState<std::int64_t> open;
  void process(const Order&, Context&, Output<Order>&) { open.set(1); }
  void process(const Other&, Context&, Output<Order>&) { open.clear(); }
};

void declare(Topology& topology, const SourceOf<Order>& orders, const SourceOf<Order>& others) {
  const auto more = topology.from(others);
#ifdef FIXED
  const auto second =
      more.map([](const Order& order) { return Other{order}; }).key_by([](const Other& other) {
        return other.order.id;
      });
#else
  const auto second = more.key_by(&Order::id);
#endif
  topology.from(orders)
      .key_by(&Order::id)
      .connect(second)
      .process(Matching{})
      .to(each([](const Order&) {}));
}
