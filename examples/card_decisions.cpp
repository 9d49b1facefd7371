// Card fraud, decided before a payment goes on: each payment gets an answer within 50 ms, of a
// service that is asked with what the card has spent, or else of a rule of one's own.
// usage: card_decisions PAYMENTS.csv [flags], files with the columns tx_id, ts (s), customer,
// amount
#include <chrono>
#include <cstdio>
#include <thread>

#include "millrace/millrace.hpp"

using namespace millrace;

struct Payment {
  std::int64_t tx_id = 0;
  std::int64_t ts = 0;
  std::int64_t customer = 0;
  double amount = 0;

  Timestamp time() const { return {ts * 1'000'000}; }
};

/// A payment with what its card has spent in a day, itself included.
struct Asked {
  std::int64_t payment = 0;
  double amount = 0;
  std::int64_t in_a_day = 0;
  double mean = 0;
};

struct Decision {
  std::int64_t payment = 0;
  bool allowed = false;
  std::string_view by;
};

struct Spending {
  TtlListState<double> amounts{{.ttl = 24h}};

  void process(const Payment& payment, KeyedContext<std::int64_t>&, Output<Asked>& out) {
    amounts.add(payment.amount);
    double sum = 0;
    std::int64_t payments = 0;
    for (const double amount : amounts.all()) {
      sum += amount;
      ++payments;
    }
    out.emit({payment.tx_id, payment.amount, payments, sum / static_cast<double>(payments)});
  }
};

/// Stands for a service over the network, which does not answer in time for each hundredth payment.
Decision ask(const Asked& asked) {
  std::this_thread::sleep_for(asked.payment % 100 == 99 ? 200ms : 1ms);
  const bool often = asked.in_a_day >= 5 && asked.amount > 2 * asked.mean;
  return {asked.payment, asked.amount <= 220 && !often, "service"};
}

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: card_decisions PAYMENTS.csv [flags]\n", stderr);
    return 64;
  }
  Topology cards("card decisions");
  const auto of = cards.from(csv<Payment>(argv[1]))
                      .event_time(&Payment::time)
                      .key_by(&Payment::customer)
                      .process(Spending{})
                      .named("spending")
                      .call(ask, {.in_flight_max = 1000, .deadline = 50ms, .threads = 64},
                            [](const Asked& asked) {
                              return Decision{asked.payment, asked.amount <= 220, "rule"};
                            })
                      .named("decide")
                      .split(when("allowed", [](const Decision& it) { return it.allowed; }));
  of["allowed"].to(print());
  of.others().to(view("Blocked"));
  argv[1] = argv[0];
  return run(cards, argc - 1, argv + 1);
}
