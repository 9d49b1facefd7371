// Cards that pay often: every payment that is a customer's tenth or later within a day.
// usage: card_velocity PAYMENTS.csv [flags], files with the columns tx_id, ts (s), customer
#include <cstdio>

#include "millrace/millrace.hpp"

using namespace millrace;

struct Payment {
  std::int64_t tx_id = 0;
  std::int64_t ts = 0;
  std::int64_t customer = 0;

  Timestamp time() const { return {ts * 1'000'000}; }
};

struct Velocity {
  std::int64_t payment = 0;
  std::int64_t in_a_day = 0;
};

struct Suspicion {
  std::int64_t payment = 0;
  std::int64_t customer = 0;
  std::int64_t in_a_day = 0;
};

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: card_velocity PAYMENTS.csv [flags]\n", stderr);
    return 64;
  }
  Topology cards("cards");
  cards.from(csv<Payment>(argv[1]))
      .event_time(&Payment::time)
      .key_by(&Payment::customer)
      .over(last(24h))
      .aggregate(last(&Payment::tx_id).as(&Velocity::payment), count().as(&Velocity::in_a_day))
      .named("velocity")
      .filter([](const auto& row) { return row.value.in_a_day >= 10; })
      .map(
          [](const auto& row) { return Suspicion{row.value.payment, row.key, row.value.in_a_day}; })
      .to(print());
  argv[1] = argv[0];
  return run(cards, argc - 1, argv + 1);
}
