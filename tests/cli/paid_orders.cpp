// A program whose joins do not fit memory: orders with their payments, which come much later, or
// never.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "millrace/millrace.hpp"
#include "unhurried.hpp"

namespace {

struct Order {
  std::uint64_t id = 0;
  millrace::Timestamp at;
};
struct Payment {
  std::uint64_t order = 0;
  millrace::Timestamp at;
};
struct Paid {
  std::uint64_t id = 0;
  bool paid = false;
  std::int64_t after = 0;  ///< microseconds; -1: never
};

Paid paid_of(const Order& order, const Payment* payment) {
  return {order.id, payment != nullptr,
          payment != nullptr ? payment->at.micros - order.at.micros : -1};
}

}  // namespace

/// usage: paid_orders ORDERS [flags]; every third order is paid, so many orders later. Tells how
/// many orders were paid so late, and how many never.
int main(int argc, char** argv) {
  using namespace millrace;
  if (argc < 2) {
    std::fputs("usage: paid_orders ORDERS [flags]\n", stderr);
    return 64;
  }
  const std::uint64_t orders = std::strtoull(argv[1], nullptr, 10);
  const auto wait = static_cast<std::int64_t>(orders);
  Topology topology("orders");
  auto ordered = topology
                     .from(generate(orders,
                                    [orders](std::uint64_t index) {
                                      take_time(index, orders);
                                      const auto at = static_cast<std::int64_t>(index);
                                      return Order{index, Timestamp{at}};
                                    }))
                     .named("order book")
                     .event_time(&Order::at)
                     .named("order times")
                     .key_by(&Order::id);
  auto payments = topology
                      .from(generate(orders / 3,
                                     [wait](std::uint64_t index) {
                                       const auto at = static_cast<std::int64_t>(3 * index) + wait;
                                       return Payment{3 * index, Timestamp{at}};
                                     }))
                      .named("bank")
                      .event_time(&Payment::at)
                      .named("payment times")
                      .key_by(&Payment::order);
  ordered.join(payments)
      .within(Duration(0), Duration(wait))
      .left(paid_of)
      .named("paid")
      .key_by(&Paid::after)
      .window(global())
      .count()
      .named("how late")
      .to(print());
  argv[1] = argv[0];
  return run(topology, argc - 1, argv + 1);
}
