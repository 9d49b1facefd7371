// A program as a user writes it, for the tests of dead letters: a bolt that cannot handle some
// orders.
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "millrace/millrace.hpp"
#include "place.hpp"

namespace {

using namespace millrace;

struct Order {
  std::int64_t id = 0;
  std::string_view kind;  ///< "good", "poison", or "shy": fails the first time
};

/// True at the first call for an id, in whatever task.
bool is_first(std::int64_t id) {
  static std::mutex mutex;
  static std::set<std::int64_t> seen;
  const std::lock_guard lock(mutex);
  return seen.insert(id).second;
}

struct Check : Bolt<Order, std::string> {
  void process(const Order& order, Output<std::string>& out) override {
    if (order.kind == "poison" && std::getenv("MENDED") == nullptr) {
      throw std::runtime_error("order " + std::to_string(order.id) + " is poison");
    }
    if (order.kind == "shy" && is_first(order.id)) throw std::runtime_error("an order was shy");
    out.emit(std::to_string(order.id));
  }
};

}  // namespace

/// usage: poison FROM TO ERRORS DEAD_LETTERS [flags]
int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: poison FROM TO ERRORS DEAD_LETTERS [flags]\n", stderr);
    return 64;
  }
  Topology topology("poison");
  topology.guarantee(at_most_once, {.retry_after = std::chrono::milliseconds(1)});
  if (std::string_view(argv[4]) != "-") topology.dead_letters(argv[4]);
  const auto orders = topology.from(json_lines<Order>(place(argv[1]))).named("orders");
  const auto checked = topology.bolt("check", Check{}, shuffle(orders), {.tasks = 2});
  checked.to(csv(place(argv[2]), {.header = false}));
  orders.errors().to(csv(place(std::string(argv[3]) + ".orders")));
  checked.errors().to(csv(place(std::string(argv[3]) + ".check")));
  argv[4] = argv[0];
  return run(topology, argc - 4, argv + 4);
}
