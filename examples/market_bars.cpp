// Hourly bars of a market, and where its price leaves its moving average by a hundredth.
// usage: market_bars TRADES.csv [flags]; the file's columns: timestamp (s), price, amount
#include <cmath>
#include <cstdio>

#include "millrace/millrace.hpp"

using namespace millrace;

struct Trade {
  std::int64_t timestamp = 0;
  double price = 0, amount = 0;

  Timestamp time() const { return {timestamp * 1'000'000}; }
};

struct Bar {
  double open = 0, high = 0, low = 0, close = 0, volume = 0;
};

struct Average {  // over the last hundred trades
  std::int64_t timestamp = 0;
  double price = 0, mean = 0;
};

struct Crossings {
  ValueState<bool> outside;

  void process(const Aggregate<int, Average>& row, KeyedContext<int>&, Output<Average>& out) {
    const bool is_outside = std::abs(row.value.price / row.value.mean - 1) >= 0.01;
    if (is_outside && !outside.value_or(false)) out.emit(row.value);
    outside.set(is_outside);
  }
};

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: market_bars TRADES.csv [flags]\n", stderr);
    return 64;
  }
  Topology market("market");
  auto trades = market.from(csv<Trade>(argv[1])).event_time(&Trade::time).key_by([](const Trade&) {
    return 0;
  });
  trades.window(tumbling(1h))
      .aggregate(first(&Trade::price).as(&Bar::open), max(&Trade::price).as(&Bar::high),
                 min(&Trade::price).as(&Bar::low), last(&Trade::price).as(&Bar::close),
                 sum(&Trade::amount).as(&Bar::volume))
      .named("hours")
      .to(view("bars"));
  trades.window(count_window(100, 1))
      .aggregate(last(&Trade::timestamp).as(&Average::timestamp),
                 last(&Trade::price).as(&Average::price), mean(&Trade::price).as(&Average::mean))
      .named("averages")
      .key_by(&Aggregate<int, Average>::key)
      .process(Crossings{})
      .named("crossings")
      .to(print());
  argv[1] = argv[0];
  return run(market, argc - 1, argv + 1);
}
